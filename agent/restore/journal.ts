/** What is on disk of a restore under way, before it is done: what it made, what it replaced, and how far it is. */

import {isUntouched, keyOf, type Replaced, untouched} from '../sources/restoring.ts';
import type {RestoreJournal, RestorePhase, RestoreRecord} from '../state/restores.ts';

/** What a restore under way has written down of itself. */
export interface OpenRestore {
	remember: (replacement: Replaced) => void;
	/** Before its swap begins. */
	touch: (replacement: Pick<Replaced, 'target' | 'source'>) => void;
	/** It is put back. */
	restored: (replacement: Replaced) => void;
	/** Called before the first of these containers is stopped. */
	ran: (names: readonly string[]) => void;
	phase: (phase: RestorePhase) => void;
	/** All is swapped. @param unjudged names of those that must be well on it */
	swapped: (unjudged: readonly string[]) => void;
	/** They are. */
	judged: () => void;
	/** All is put back, and something is to be removed still that was made for it: which may be done while the application runs. */
	back: () => void;
	replacements: () => readonly Replaced[];
	/** What a roll-back has to look at. */
	toRollBack: () => readonly Replaced[];
	isTouched: () => boolean;
	remove: () => void;
}

/** @param begun what its record says from the start; nothing is written before the first call */
export function openRestoreJournal(
	restores: RestoreJournal,
	begun: Pick<RestoreRecord, 'run' | 'target' | 'point' | 'keptIn'>,
): OpenRestore {
	let record: RestoreRecord = {...begun, phase: 'loading', replacements: [], swappedAt: null, settledBy: null, ran: [], unjudged: []};
	const save = (change: Partial<RestoreRecord>) => {
		record = {...record, ...change};
		restores.saveRestore(record);
	};
	const isTouched = () => record.phase !== 'loading';
	const mark = (replacement: Pick<Replaced, 'target' | 'source'>, change: Required<Pick<Replaced, 'touched'>>) =>
		save({replacements: record.replacements.map(other => (keyOf(other) === keyOf(replacement) ? {...other, ...change} : other))});

	return {
		remember(replacement) {
			const known = new Map(record.replacements.map(other => [keyOf(other), other]));
			// A swap that is under way writes down more: it stays one that has begun.
			const {touched = false} = known.get(keyOf(replacement)) ?? {};
			save({replacements: [...known.set(keyOf(replacement), {...replacement, touched}).values()]});
		},
		touch: replacement => mark(replacement, {touched: true}),
		restored: replacement => mark(replacement, {touched: false}),
		ran: names => save({ran: names}),
		phase: phase => save({phase}),
		swapped: unjudged => save({phase: 'swapped', swappedAt: Date.now(), unjudged}),
		judged() {
			if (record.unjudged.length > 0) {
				save({unjudged: []});
			}
		},
		back: () => save(asBefore(record)),
		replacements: () => record.replacements,
		toRollBack: () => record.replacements.map(each => (isTouched() && !isUntouched(each) ? each : untouched(each))),
		isTouched,
		remove: () => restores.removeRestore(begun.run),
	};
}

/** What the record says as before anything was touched. */
export const asBefore = ({
	replacements,
}: Pick<RestoreRecord, 'replacements'>): Pick<RestoreRecord, 'phase' | 'replacements' | 'swappedAt'> => ({
	phase: 'loading',
	replacements: replacements.map(each => ({...each, touched: false})),
	swappedAt: null,
});
