/** The words of a plan: what a run will do, and to whom. */
import type {Problem} from '../../base/problem.ts';
import type {Container} from '../../docker/container.ts';
import type {Hook} from '../../docker/hooks.ts';
import {kindOf} from '../sources/kinds.ts';
import type {Absent} from '../sources/remarks.ts';
import type {PlannedSource} from '../sources/source.ts';
import type {Target} from '../targets/target.ts';

/** A container that is quiesced, and how. In the order of quiescing: dependents first. */
export interface PlannedQuiesce {
	container: Container;
	action: 'pause' | 'stop';
	/** For people: `the target`, `quiesce.with`, `mounts volume data read-write`. */
	reason: string;
}

export interface PlannedHook {
	container: Container;
	hook: Hook;
	when: 'before' | 'after';
}

export interface Plan {
	target: string;
	sources: readonly PlannedSource[];
	quiesce: readonly PlannedQuiesce[];
	/** What is not backed up as things are: its server was stopped. With nothing else there is no run. */
	absent: readonly Absent[];
	/** Those that do not run. Who does when the moment comes is quiesced as well; nobody else may start one in it. */
	resting: readonly PlannedQuiesce[];
	/** Containers, by id, whose files are taken from a snapshot that their file system makes, where it can. */
	snapshots: readonly string[];
	hooks: readonly PlannedHook[];
	/** Longest outage allowed. */
	quiesceTimeoutMs: number;
	/** A cron line of five fields. */
	schedule: string;
	scheduleFrom: 'label' | 'default';
	/** When the target is stopped for its backup. */
	scheduleCold?: string | undefined;
	/** What a person should know: a data directory left out because it is dumped, a replica, a pinned database that is paused. */
	notes: readonly string[];
}

/** Whether there is anything to be of one moment with: files, or somebody who stands still or is told by a hook. */
export const isOfOneMoment = ({sources, quiesce, resting, hooks}: Pick<Plan, 'sources' | 'quiesce' | 'resting' | 'hooks'>): boolean =>
	quiesce.length + resting.length + hooks.length > 0 || sources.some(source => kindOf(source.kind).stillness(source) === 'needed');

/** By container's id and kind of source. None where nobody was asked, or did not answer. */
export type Answers = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

export interface PlanRequest {
	target: Target;
	/** All of the engine: others may write to the target's volumes. */
	containers: readonly Container[];
	/** What a look at the running services told. */
	answers?: Answers;
	/** `quiesce` is for targets with files, `lockTimeoutMs` for databases. */
	defaults: {schedule: string; quiesce?: 'none' | 'pause' | 'stop'; lockTimeoutMs?: number};
	/** For a backup during which the target is stopped, whatever its labels say of quiescing. */
	cold?: boolean;
	prefix?: string;
	/** The agent's own container. */
	self?: string | undefined;
	/** The engine's own folder on the host. */
	dataRoot?: string;
}

export interface Surveyed {
	target: Target;
	/** What a run would do; with problems it is not run. */
	plan: Plan;
	problems: readonly Problem[];
}
