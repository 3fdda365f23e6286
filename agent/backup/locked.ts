/** Others may need the repository for themselves: a prune, by this or by another agent. A backup waits for it, and says so. */
import type {Tell} from '../../base/events.ts';
import type {Lock, Restic} from '../restic/restic.ts';

/** A prune of a large repository takes a while. Less than a run may stand still: so what is said at last is who has the lock. */
export const lockPatienceSeconds = 25 * 60;

/** Who waits this long is told for whom. */
const tellAfterMs = 60_000;

const ownerOf = ({hostname, pid, time}: Lock): string => `\`${hostname}\` (process ${pid}, since ${time.toISOString()})`;

/**
 * Looks at the locks now and then while something works, and tells once in a run of one that shuts everybody else out: restic waits for it without
 * a word. A look that fails says nothing: what the run itself meets is told by it.
 * @param everyMs shorter in tests
 * @returns does the work, and looks meanwhile
 */
export function tellingOfLocks(
	restic: Pick<Restic, 'locks'>,
	tell: Tell,
	everyMs = tellAfterMs,
): <Value>(work: () => Promise<Value>) => Promise<Value> {
	let isTold = false;
	const look = async () => {
		const locks = isTold ? [] : await restic.locks().catch(() => []);
		const shutting = locks.find(({exclusive}) => exclusive);
		if (shutting !== undefined && !isTold) {
			isTold = true;
			tell({type: 'warning', message: `the repository is in use by ${ownerOf(shutting)} alone: waiting for it`});
		}
	};

	return async work => {
		const timer = setInterval(() => void look(), everyMs);
		timer.unref();
		try {
			return await work();
		} finally {
			clearInterval(timer);
		}
	};
}
