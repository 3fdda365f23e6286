/** Commands that one stream goes through end together: none outlives the others. */
import type {Running} from '../../../base/command.ts';
import type {StreamContainer} from './container.ts';

/** Each command that is begun is handed over, as soon as it runs. */
type Begin = (running: Promise<Running>) => Promise<Running>;

/**
 * @param work gets what ends all of them, and where each is handed over
 * @throws what the work threw, when all that it began has ended
 */
export async function together<Value>(
	{container, signal}: {container: StreamContainer; signal: AbortSignal},
	work: (either: AbortSignal, begin: Begin) => Promise<Value>,
): Promise<Value> {
	const end = new AbortController();
	const begun: Running[] = [];
	try {
		return await work(AbortSignal.any([signal, end.signal]), async running => {
			const one = await running;
			begun.push(one);
			return one;
		});
	} catch (error) {
		end.abort(error);
		await Promise.allSettled(begun.map(async ({kill}) => kill()));
		await container.endLeft().catch(() => {});
		throw error;
	}
}
