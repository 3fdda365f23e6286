/**
 * What could not be written down, because the disk is full or read-only: this life of the agent knows it all the same, so that what it answers and
 * decides is right, and writes it as soon as that can be done, at its own end at the latest.
 */
import {type StateDatabase, UnwritableError} from './database.ts';

export interface Unwritten<Key, Value> {
	/** Writes it, or knows it until it is written. */
	keep: (key: Key, value: Value) => void;
	/** The same, for who may go on only when it is on disk. @throws {UnwritableError} */
	insist: (key: Key, value: Value) => void;
	/** It is over: what was not written of it needs no writing. */
	forget: (key: Key) => void;
	/** What is not written yet, after another attempt: to be asked for before what is written is read. */
	left: () => ReadonlyMap<Key, Value>;
}

/** @param write the newest of a key is written only; where it was written before, nothing changes */
export function createUnwritten<Key, Value>(
	database: Pick<StateDatabase, 'beforeClose'>,
	write: (key: Key, value: Value) => void,
): Unwritten<Key, Value> {
	const left = new Map<Key, Value>();
	const insist = (key: Key, value: Value): void => {
		left.set(key, value);
		try {
			write(key, value);
		} catch (error) {
			if (!(error instanceof UnwritableError)) {
				left.delete(key);
			}

			throw error;
		}

		left.delete(key);
	};
	const writeLeft = (): void =>
		unlessUnwritable(() => {
			for (const [key, value] of left) {
				insist(key, value);
			}
		});
	database.beforeClose(writeLeft);
	return {
		insist,
		keep: (key, value) => unlessUnwritable(() => insist(key, value)),
		forget(key) {
			left.delete(key);
		},
		left() {
			writeLeft();
			return left;
		},
	};
}

/** What is written, and what is not yet: null removes. */
export function overlaid<Key, Value>(written: Iterable<readonly [Key, Value]>, left: ReadonlyMap<Key, Value | null>): Map<Key, Value> {
	const known = new Map(written);
	for (const [key, value] of left) {
		value === null ? known.delete(key) : known.set(key, value);
	}

	return known;
}

/** For what was told and need not be known again: it must not keep anybody from going on. */
export function unlessUnwritable(write: () => void): void {
	try {
		write();
	} catch (error) {
		if (!(error instanceof UnwritableError)) {
			throw error;
		}
	}
}
