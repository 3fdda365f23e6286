/** Which file is to be started next, so that the machine is busy and nothing that measures is disturbed. */
import type {Lane} from './files.ts';

export interface Waiting {
	file: string;
	lane: Lane;
	/** How long it takes, as far as is known. */
	seconds: number;
}

/** What a machine of two cores bears at once, and how much of that a file of each lane takes. */
const room = 6;
export const share: Readonly<Record<Lane, number>> = {rests: 1, waits: 2, works: 3, measures: room};

/** One more that waits may run while the processors have nothing to do for more than this part of their time, up to five in all. */
const idle = 0.3;
const most = 10;

/**
 * The longest that there is room for beside those that run; what measures comes last, and has the machine for itself. Pure.
 * @param idleness of the processors lately, from 0 to 1
 */
export const nextOf = <One extends Waiting>(
	waiting: readonly One[],
	running: ReadonlyArray<Pick<Waiting, 'lane'>>,
	idleness = 0,
): One | undefined => {
	const used = running.reduce((total, {lane}) => total + share[lane], 0);
	const isAlone = running.some(({lane}) => lane === 'measures');
	const free = Math.max(room - used, idleness > idle && !isAlone && running.length > 0 ? Math.min(share.works, most - used) : 0);
	const quiet = waiting.filter(({lane}) => lane !== 'measures');
	return (quiet.length > 0 ? quiet : waiting)
		.filter(({lane}) => share[lane] <= free)
		.toSorted((one, other) => other.seconds - one.seconds || one.file.localeCompare(other.file))[0];
};

/** How long all of them take together, if the machine is never idle; the longest takes its time whatever runs beside it. Pure. */
export const estimate = (files: readonly Waiting[]): number =>
	Math.max(
		0,
		files.reduce((total, {lane, seconds}) => total + (seconds * share[lane]) / room, 0),
		...files.map(({seconds}) => seconds),
	);
