/** The shell of every run: its workers are hired, they work, and they are dismissed whatever happens. */
import type {Tell} from '../../base/events.ts';
import type {Workforce} from '../../docker/worker.ts';
import type {Workshop} from './workshop.ts';

type Hiring = Pick<Workshop, 'hire'>;

/** Rejects with what `work` or the dismissal threw; with both where both did. */
export async function hired<Value>(
	workshop: Hiring,
	run: string,
	work: (workforce: Workforce) => Promise<Value>,
	onEnd = () => {},
): Promise<Value> {
	const workforce = await workshop.hire(run);
	const [worked] = await Promise.allSettled([work(workforce)]);
	onEnd();
	const [dismissed] = await Promise.allSettled([workforce.dismiss()]);
	const failures = [worked, dismissed].flatMap(each => (each.status === 'rejected' ? [each.reason] : []));
	if (failures.length > 0 || worked.status === 'rejected') {
		throw failures.length === 1 ? failures[0] : new AggregateError(failures);
	}

	return worked.value;
}

/** Never rejects, and tells of both ends. @returns why it failed; nothing when all went well */
export async function withWorkers(
	workshop: Hiring,
	{run, tell}: {run: string; tell: Tell},
	work: (workforce: Workforce) => Promise<void>,
): Promise<unknown[]> {
	try {
		tell({type: 'step', step: 'workers'});
		await hired(workshop, run, work, () => tell({type: 'step', step: 'clean-up'}));
		return [];
	} catch (error) {
		return [error];
	}
}
