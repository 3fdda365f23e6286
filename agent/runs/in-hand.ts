/** The turn of one run, and what it has in hand. Who waits for another run gives its turn to others meanwhile. */
import {setTimeout as delay} from 'node:timers/promises';
import {RunError} from '../../base/errors.ts';
import type {Holds, Touched} from './holds.ts';

/** What a run does to have something in hand. */
export interface Holding {
	/**
	 * Waits until no other run has any of it in hand, and keeps it from others until this run is over; tells for whom it waits. Who waits gives
	 * its turn to others. Asked again, it takes the place of what was asked before.
	 * @returns whether it had to wait: then what was known may be old
	 * @throws the signal's reason
	 */
	hold: (touched: readonly Touched[]) => Promise<boolean>;
	/**
	 * Keeps it from others, too, and gives back nothing of what was asked for before: for what is found late. Waits a while for who has it.
	 * @throws {RunError} that names who has it still; the signal's reason
	 */
	holdMore: (touched: readonly Touched[]) => Promise<void>;
}

export interface InHand extends Holding {
	/** All of it, and the turn. */
	release: () => void;
}

interface InHandOptions {
	run: string;
	signal: AbortSignal;
	holds: Holds;
	/** Waits for a turn; gives what ends it. @throws the signal's reason */
	turn: () => Promise<() => void>;
	/** For people: another run. */
	nameOf: (run: string) => string;
	/** @param other as people read it; undefined: for nobody any more */
	onWait: (other: string | undefined) => void;
	/** It waited, and has its turn again. */
	onGoOn: () => void;
}

/** Who has something in hand and needs more waits this long: two that wait for each other would wait for ever. */
const morePatienceMs = 10 * 60_000;
const moreRetryMs = 500;

/** When its turn has come. One that is cancelled while it waits for that goes on without. */
export async function takeTurn({run, signal, holds, turn, nameOf, onWait, onGoOn}: InHandOptions): Promise<InHand> {
	let end = await turn().catch(() => () => {});

	const waitFor = (other: string): void => {
		// Whoever waits for a run must not keep others from theirs.
		end();
		end = () => {};
		onWait(nameOf(other));
	};

	const waited = async (hasWaited: boolean): Promise<boolean> => {
		onWait(undefined);
		if (hasWaited) {
			end = await turn();
			onGoOn();
		}

		return hasWaited;
	};

	return {
		hold: async touched => waited(await holds.take(run, touched, {signal, onWait: waitFor})),
		async holdMore(touched) {
			const deadline = performance.now() + morePatienceMs;
			let last: string | undefined;
			for (let other = holds.more(run, touched); other !== undefined; other = holds.more(run, touched)) {
				if (performance.now() > deadline) {
					throw new RunError(`what stands still for it was still in the hands of ${nameOf(other)} after ${morePatienceMs / 60_000} min`);
				}

				if (other !== last) {
					waitFor(other);
				}

				last = other;
				await delay(moreRetryMs, undefined, {signal}).catch(() => signal.throwIfAborted());
			}

			await waited(last !== undefined);
		},
		release() {
			holds.release(run);
			end();
		},
	};
}
