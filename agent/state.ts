/** What outlives the agent: runs, their events, the journal of undos. The only importer of node:sqlite in the agent. */
import type {Journal} from '../docker/quiesce.ts';
import type {Operation, Outcome, RunEvent, RunResult} from './events.ts';

export interface RunRecord {
	run: string;
	target: string;
	operation: Operation;
	trigger: string;
	state: 'queued' | 'running' | 'finished';
	outcome: Outcome | null;
	/** Milliseconds since 1970: asked for, begun, ended. */
	queuedAt: number;
	startedAt: number | null;
	finishedAt: number | null;
	result: RunResult | null;
}

export interface State extends Journal {
	/** Random, made once; marks this agent's workers on a shared engine. */
	readonly agentId: string;
	insertRun: (run: {run: string; target: string; operation: Operation; trigger: string; queuedAt: number}) => void;
	startRun: (run: string, startedAt: number) => void;
	finishRun: (run: string, finishedAt: number, result: RunResult) => void;
	runs: (options?: {target?: string | undefined; operation?: Operation | undefined; outcome?: Outcome | undefined; limit?: number | undefined}) => RunRecord[];
	findRun: (run: string) => RunRecord | undefined;
	/** Runs that were queued or running when the agent died. */
	interruptedRuns: () => RunRecord[];
	appendEvent: (event: RunEvent) => void;
	events: (run: string) => RunEvent[];
	/** The id of the repository that was opened at this location before; a location is never stored as it is (it may hold secrets). */
	knownRepository: (location: string) => string | undefined;
	rememberRepository: (location: string, id: string) => void;
	/** When a target was first seen, so that a missed run can be told from a new target. */
	firstSeen: (target: string, now: number) => number;
	close: () => void;
}
