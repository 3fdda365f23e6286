/** The second pass of a volume: it has opened the repository and waits for the moment, so that the moment costs no start. */
import {type Held, held} from '../../restic/held.ts';
import type {FilesOptions, Saved} from '../../restic/restic.ts';
import type {SourceContext} from '../source.ts';

export interface SecondPass {
	/** Begins to wait. @param parent the snapshot from which unchanged files need not be read again */
	begin: (parent: string | undefined) => void;
	/** One waits from that parent, for the point's own time: the one that does already, where it does. */
	arm: (parent: string | undefined) => Promise<void>;
	/** @returns what it stored; undefined: none was armed */
	go: (moment: AbortSignal) => Promise<Saved | undefined>;
	/** Never rejects. */
	stop: (reason: Error) => Promise<void>;
}

interface Waiting extends Held<Saved> {
	parent: string | undefined;
	/** Of its snapshot. */
	time: Date;
}

/** The moment took so long, in milliseconds, that the next one has read ahead what changed. */
const slowMs = 2000;

export function secondPassOf(
	{restic, time, pace, signal}: Pick<SourceContext, 'restic' | 'time' | 'pace' | 'signal'>,
	options: Omit<FilesOptions, 'time'>,
): SecondPass {
	let waiting: Waiting | undefined;
	let isLetGo = false;
	const begin = (parent: string | undefined): Waiting => {
		isLetGo = false;
		const of = time();
		const begun = held(async hold => restic.backupFiles({...options, time: of, parent, quick: true, ...hold}), signal);
		waiting = {parent, time: of, ...begun};
		return waiting;
	};
	const isStillFor = async (parent: string | undefined): Promise<boolean> =>
		waiting !== undefined &&
		!isLetGo &&
		waiting.parent === parent &&
		waiting.time.getTime() === time().getTime() &&
		waiting.waiting.then(
			() => waiting?.isOver() === false,
			() => false,
		);
	return {
		begin,
		async arm(parent) {
			if (!(await isStillFor(parent))) {
				const former = waiting?.stop(new Error('another try'));
				await Promise.all([former, begin(parent).waiting]);
			}
		},
		async go(moment) {
			const stop = () => void waiting?.stop(moment.reason);
			moment.addEventListener('abort', stop, {once: true});
			isLetGo = true;
			const at = performance.now();
			const saved = await waiting?.go();
			if (performance.now() - at > slowMs) {
				pace?.forget();
			}

			moment.removeEventListener('abort', stop);
			return saved;
		},
		async stop(reason) {
			const former = waiting;
			waiting = undefined;
			await former?.stop(reason);
		},
	};
}
