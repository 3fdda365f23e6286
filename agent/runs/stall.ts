/** Notices that a run gets no further: whatever it waits for, it ends, gives its turn back and says at which step it was. */
import {RunError} from '../../base/errors.ts';
import type {Told} from '../../base/events.ts';
import {duration} from '../../base/units.ts';

export interface Stall {
	/** Hears all that the run tells. A step is progress, and so is a number that changed; a warning is none. */
	hear: (event: Told) => void;
	/** While it waits for another run, which has a limit of its own, it does not stand still. */
	pause: () => void;
	/** It has its turn again. */
	goOn: () => void;
	stop: () => void;
}

interface StallOptions {
	limitMs: number;
	/** Whether its workers did something since it was asked last: not all that takes long can be counted. */
	isActive: () => Promise<boolean>;
	onStall: (reason: RunError) => void;
}

/** It is looked this often within the limit. */
const looks = 10;

export function watchProgress({limitMs, isActive, onStall}: StallOptions): Stall {
	let changedAt = performance.now();
	let where = 'before its first step';
	let heard: string | undefined;
	let isLooking = false;
	let isWaiting = false;
	const counts = new Map<string, string>();
	const changed = () => {
		changedAt = performance.now();
		heard = undefined;
	};

	const look = async () => {
		if (isWaiting || isLooking || performance.now() - changedAt < limitMs / looks) {
			return;
		}

		isLooking = true;
		if (await isActive().catch(() => false)) {
			changed();
		}

		isLooking = false;
		if (!isWaiting && performance.now() - changedAt >= limitMs) {
			stop();
			onStall(
				new RunError(
					`no progress for ${duration(limitMs / 1000)} ${where}${heard === undefined ? '' : `; the last that was heard: ${heard}`}`,
					{
						hint: 'HOLDFAST_STALL_LIMIT says how long a run may stand still',
					},
				),
			);
		}
	};

	const timer = setInterval(() => void look(), limitMs / looks);
	timer.unref();
	const stop = () => clearInterval(timer);
	return {
		stop,
		pause() {
			isWaiting = true;
			changed();
		},
		goOn() {
			isWaiting = false;
			changed();
		},
		hear(event) {
			if (event.type === 'step') {
				where = `in step \`${event.step}\`${event.subject === undefined ? '' : ` of \`${event.subject}\``}`;
				changed();
			} else if (event.type === 'progress') {
				const count = `${event.bytes} ${event.totalBytes}`;
				if (counts.get(event.source) !== count) {
					counts.set(event.source, count);
					changed();
				}
			} else if (event.type === 'warning') {
				heard = event.message;
			}
		},
	};
}
