/** The shell of every run: its workers are hired, they work, and they are dismissed whatever happens. */
import type {Tell} from '../../base/events.ts';
import type {Workforce} from '../../docker/worker.ts';
import type {Workshop} from './workshop.ts';

type Hiring = Pick<Workshop, 'hire'>;

/**
 * Rejects with what any of it threw; with all where several did.
 * @param last what is done while they are dismissed: it needs none of them
 */
export async function hired<Value>(
	workshop: Hiring,
	run: string,
	work: (workforce: Workforce) => Promise<Value>,
	last: (worked: PromiseSettledResult<Value>) => Promise<void> = async () => {},
): Promise<Value> {
	const workforce = await workshop.hire(run);
	const [worked] = await Promise.allSettled([work(workforce)]);
	const [dismissed, ended] = await Promise.allSettled([workforce.dismiss(), last(worked)]);
	const failures = [worked, ended, dismissed].flatMap(each => (each.status === 'rejected' ? [each.reason] : []));
	if (failures.length > 0 || worked.status === 'rejected') {
		throw failures.length === 1 ? failures[0] : new AggregateError(failures);
	}

	return worked.value;
}

/** Never rejects, and tells of both ends. @param last as in `hired` @returns why it failed; nothing when all went well */
export async function withWorkers<Value>(
	workshop: Hiring,
	{run, tell}: {run: string; tell: Tell},
	work: (workforce: Workforce) => Promise<Value>,
	last: (worked: Value) => Promise<void> = async () => {},
): Promise<unknown[]> {
	try {
		tell({type: 'step', step: 'workers'});
		await hired(workshop, run, work, async worked => {
			try {
				if (worked.status === 'fulfilled') {
					await last(worked.value);
				}
			} finally {
				tell({type: 'step', step: 'clean-up'});
			}
		});
		return [];
	} catch (error) {
		return [error];
	}
}
