/** What goes over the wire besides the agent's own views. The command line and the bot read the same words. */
import type {RepositoryProblem} from '../../base/errors.ts';

/** Every answer that is not 2xx. */
export interface ErrorBody {
	error: string;
	hint?: string | undefined;
	/** Set when the repository refused. */
	problem?: RepositoryProblem | undefined;
}

/** A target whose run was accepted. */
export interface Started {
	target: string;
	run: string;
}

/** A target that was not run, while the others were. `status`: what HTTP would have said had it been asked alone. */
export interface Refusal extends ErrorBody {
	target: string;
	status: number;
	/** What would have to answer was stopped: no failure, where all targets were meant. */
	resting?: true;
}

export interface PlanView {
	target: string;
	sources: Array<{source: string; container: string; path?: string; database?: string; server?: string; exclude?: readonly string[]}>;
	/** In the order of quiescing. */
	quiesce: Array<{container: string; action: 'pause' | 'stop'; reason: string}>;
	hooks: Array<{
		container: string;
		when: 'before' | 'after';
		argv: readonly string[];
		user?: string;
		timeoutSeconds: number;
		onError: 'fail' | 'continue';
	}>;
	quiesceTimeoutSeconds: number;
	/** A cron line. */
	schedule: string;
	scheduleFrom: 'label' | 'default';
	/** When the target is stopped for its backup: a cron line. */
	scheduleCold?: string;
	notes: readonly string[];
}

/** Asked for: these targets, or all that there are. */
export type BackupTargets = ({targets: readonly string[]} | {all: true}) & {cold?: true};

/** Asked for: a point of one target, or the latest of all. */
export type DrillTargets = {target: string; point: string; from?: string | undefined} | {all: true};

/** Asked for: these copies, or all that are configured. */
export type WantedCopies = {copies: readonly string[]} | {all: true};

export interface Health {
	healthy: boolean;
	problems: string[];
}
