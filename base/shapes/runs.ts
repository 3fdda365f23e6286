/** Runs that are asked for and told of, as every door has them. What ends one is in results.ts. */

import type {Readable} from 'node:stream';
import type {Operation, Outcome, RunResult} from '../results.ts';

/** One row of `runs --json`, newest first. */
export interface RunView {
	run: string;
	target: string;
	operation: Operation;
	trigger: string;
	state: 'queued' | 'running' | 'finished';
	outcome: Outcome | null;
	startedAt: string;
	durationSeconds: number | null;
	result: RunResult | null;
}

export interface DrillRequest {
	target: string;
	/** A point's id or `latest`. */
	point: string;
	/** `primary`, or a copy's name; without it the primary. */
	from?: string | undefined;
	trigger: string;
}

export interface ExportRequest {
	target: string;
	/** A point's id or `latest`. */
	point: string;
	/** One database, and one volume or none. Empty: all that the point has. */
	only: readonly string[];
}

export interface ImportRequest {
	target: string;
	/** Where it belongs, when the target has several databases or volumes. */
	only: readonly string[];
	/** What the person calls it. */
	file: string;
	/** The archive. */
	body: Readable;
	trigger: string;
}

/** A run that was accepted. */
export interface Accepted<Result> {
	run: string;
	/** Never rejects for a failure of the run itself: that is an outcome. */
	finished: Promise<Result>;
}
