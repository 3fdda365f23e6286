/** What the metrics show besides what runs tell. Plain values, so that each family can be tested without an agent. */
import type {StatusView, TargetView} from '../agent.ts';
import type {Operation} from '../events.ts';

/** When something comes again by itself. */
export interface Scheduled {
	operation: Operation;
	/** A target, or `repository:<name>`. */
	target: string;
	/** ISO 8601. */
	nextRun: string | null;
	/** The longest time between two due times. */
	expectedIntervalSeconds: number;
}

export interface Observed {
	targets: readonly TargetView[];
	status: readonly StatusView[];
	scheduled: readonly Scheduled[];
	/** When each target was first seen, in milliseconds since 1970. */
	firstSeen: ReadonlyMap<string, number>;
	/** The longest outage that each target allows. */
	quiesceLimitSeconds: ReadonlyMap<string, number>;
	/** Volumes and bind mounts that no target backs up. */
	unprotectedVolumes: number;
}

/** What is known without the engine. */
export interface OwnState {
	/** Containers that are paused or stopped by a run now. */
	quiescedContainers: number;
	/** Of these, those whose run is over: nobody is about to put them back. */
	leftQuiescedContainers: number;
	/** Whether each repository could be opened when it was last tried; by its name. */
	repositories: ReadonlyMap<string, boolean>;
}
