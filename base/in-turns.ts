/** Work on many things, of which each takes processes: some at once, and never all. */
import PQueue from 'p-queue';

/** Of what takes a start of restic each: that is memory, and a good part of a second of a processor. */
const usuallyAtOnce = 4;

/** What becomes of each, in their order. Rejects with the first error; what has not begun then is not begun. */
export async function inTurns<Item, Result>(
	items: readonly Item[],
	work: (item: Item) => Promise<Result>,
	atOnce = usuallyAtOnce,
): Promise<Result[]> {
	const turns = new PQueue({concurrency: atOnce});
	try {
		return await turns.addAll(items.map(item => async () => work(item)));
	} catch (error) {
		turns.clear();
		throw error;
	}
}
