/** Targets + policy → what a run will do. Pure and printable: `holdfast plan` shows it before anything is touched. */

import {quote} from '../../base/reading/quote.ts';
import type {Container, Mount} from '../../docker/container.ts';
import type {ExternalServer} from '../sources/postgres/plan-external.ts';
import {collectRemarks, type Remarks} from '../sources/remarks.ts';
import {subjectOf} from '../sources/scope.ts';
import type {Target} from '../targets/discovery.ts';
import {defaultPrefix, type Hook, type Problem} from '../targets/labels.ts';
import {planQuiesce, servicesOf} from './quiesce.ts';
import {planSources} from './sources.ts';

export type PlannedSource = {
	/** As people write it, and unique in its target: `db/postgres:metadb`. */
	name: string;
	container: Container;
} /** Without a user: the one that the container's `POSTGRES_USER` names, or `postgres`. `external`: its server is not in the container. */ & (
	| {
			kind: 'postgres';
			database: string;
			/** `all`: as SQL, as part of a dump of the whole server. */
			format: 'custom' | 'plain' | 'all';
			user?: string | undefined;
			external?: ExternalServer | undefined;
	  }
	/** `mount` holds the file; `path` is in the container. */
	| {kind: 'sqlite'; path: string; mount: Mount}
	/** `exclude`: patterns relative to the mount, the files of SQLite sources among them. */
	| {kind: 'volume'; mount: Mount; exclude: readonly string[]}
	| {kind: 'tar'; path: string}
);

/** A container that is quiesced, and how. In the order of quiescing: dependents first. */
export interface PlannedQuiesce {
	container: Container;
	action: 'pause' | 'stop';
	/** For people: `the target`, `quiesce.with`, `mounts volume data read-write`. */
	reason: string;
}

interface PlannedHook {
	container: Container;
	hook: Hook;
	when: 'before' | 'after';
}

export interface Plan {
	target: string;
	sources: readonly PlannedSource[];
	quiesce: readonly PlannedQuiesce[];
	/** Those that do not run. Who does when the moment comes is quiesced as well; nobody else may start one in it. */
	resting: readonly PlannedQuiesce[];
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

export interface PlanRequest {
	target: Target;
	/** All of the engine: others may write to the target's volumes. */
	containers: readonly Container[];
	/** What each server, by its container's id, said that it has. None where it was not asked or did not answer. */
	databases: ReadonlyMap<string, readonly string[]>;
	/** The same, of those that allow no connections, and so cannot be dumped. */
	closedDatabases?: ReadonlyMap<string, readonly string[]>;
	/** Where each server, by its container's id, keeps its data, as the container sees it. Where unknown: as in the official images. */
	dataDirectories?: ReadonlyMap<string, string>;
	/** `quiesce` is for targets with files. */
	defaults: {schedule: string; quiesce?: 'none' | 'pause' | 'stop'};
	/** For a backup during which the target is stopped, whatever its labels say of quiescing. */
	cold?: boolean;
	prefix?: string;
	/** The agent's own container. */
	self?: string | undefined;
	/** The engine's own folder on the host. */
	dataRoot?: string;
}

const defaultQuiesceTimeoutMs = 5 * 60_000;

/** The problems are those of the plan; the target's own come beside them. With any of either the target is not run. */
export function planTarget(request: PlanRequest): {plan: Plan; problems: readonly Problem[]} {
	const {
		target,
		containers,
		databases,
		closedDatabases = new Map(),
		defaults,
		dataDirectories = new Map(),
		cold = false,
		prefix = defaultPrefix,
		self,
		dataRoot = '/var/lib/docker',
	} = request;
	const remarks = collectRemarks();
	const agent = containers.find(({id}) => id === self);
	const sources = planSources({target, databases, closedDatabases, dataDirectories, prefix}, {dataRoot, self: agent}, remarks);
	const still = planQuiesce({target, containers, self, defaults, cold, prefix, sources}, remarks);
	const hooks = planHooks(target, remarks);
	checkServices(target, containers, {prefix, self, remarks});
	const {schedule, scheduleCold, quiesceTimeoutMs = defaultQuiesceTimeoutMs} = target.policy;
	const plan: Plan = {
		target: target.name,
		sources,
		...still,
		hooks,
		quiesceTimeoutMs,
		schedule: schedule ?? defaults.schedule,
		scheduleFrom: schedule === undefined ? 'default' : 'label',
		...(scheduleCold === undefined ? {} : {scheduleCold}),
		notes: remarks.notes,
	};
	return {plan, problems: remarks.problems};
}

/** In a container that does not run there is nobody to tell. */
function planHooks(target: Target, remarks: Remarks): PlannedHook[] {
	return (['before', 'after'] as const).flatMap(when =>
		target.members.flatMap(({policy, container}) => {
			const hook = policy[when];
			if (hook !== undefined && container.state !== 'running') {
				remarks.note(`the hook \`${when}\` is not run: container \`${container.name}\` is ${container.state}`);
			}

			return hook === undefined || container.state !== 'running' ? [] : [{container, hook, when}];
		}),
	);
}

function checkServices(
	target: Target,
	containers: readonly Container[],
	{prefix, self, remarks}: {prefix: string; self: string | undefined; remarks: Remarks},
): void {
	for (const member of target.members) {
		const {problem} = remarks.about(subjectOf(target, member));
		if (member.replicas.some(({id}) => id === self)) {
			problem('Holdfast cannot back up its own container', `remove \`${prefix}enable\` from it`);
		}

		for (const [label, services = []] of [
			['quiesce.with', member.policy.quiesceWith],
			['restore.stop', member.policy.restoreStop],
		] as const) {
			for (const service of services.filter(name => servicesOf(target, containers, name).length === 0)) {
				const where =
					target.project === undefined ? 'a container outside Compose has none' : `project \`${target.project}\` has no such service`;
				problem(`\`${prefix}${label}\` must name services of the same project, got ${quote(service)}: ${where}`);
			}
		}
	}
}
