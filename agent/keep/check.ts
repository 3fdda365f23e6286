/** Proves that a repository is whole. */
import type {CheckResult} from '../../base/results.ts';
import type {RunContext} from '../runs/runs.ts';
import type {MaintenanceParts} from './prune.ts';
import {counter, ended, inWorker} from './prune.ts';

/** Never rejects. @param readData `all`, `n/N`, or null: the data itself is not read */
export async function check(parts: MaintenanceParts, context: RunContext, readData: string | null): Promise<CheckResult> {
	const {signal, tell} = context;
	const error = await inWorker(parts, context, async restic => {
		tell({type: 'step', step: 'check', subject: readData === null ? undefined : `reading ${readData}`});
		await restic.check({read: readData ?? undefined, signal, onCount: counter(tell)});
	});
	return {...ended(parts, context, error), readData};
}
