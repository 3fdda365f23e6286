/** Proves that a repository is whole. */
import type {CheckResult} from '../../base/results.ts';
import type {RunContext} from '../runs/runs.ts';
import {doneBy, inTurn, type Turn} from './election.ts';
import type {MaintenanceParts} from './prune.ts';
import {counter, ended, inWorker, putOnRecord} from './prune.ts';

interface CheckOptions {
	/** `all`, `n/N`, or null: the data itself is not read. */
	readData: string | null;
	/** Undefined where a person asked for it. */
	turn: Turn | undefined;
}

/** Never rejects. */
export async function check(parts: MaintenanceParts, context: RunContext, {readData, turn}: CheckOptions): Promise<CheckResult> {
	const {signal, tell} = context;
	const {by, failure} = await inTurn(turn, async () =>
		inWorker(parts, context, async restic => {
			tell({type: 'step', step: 'check', subject: readData === null ? undefined : `reading ${readData}`});
			await restic.check({read: readData ?? undefined, signal, onCount: counter(tell)});
			await putOnRecord(parts, tell, {operation: 'check', readData});
		}),
	);
	return by === undefined
		? {...ended(parts, context, failure), readData}
		: {...ended(parts, context, undefined), readData: by.readData, doneBy: doneBy(by)};
}
