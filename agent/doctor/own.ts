/** What the agent says of itself: its versions, its clock, its state, and what it has waiting for a person. */
import {ownTimeZone} from '../../base/clock.ts';
import type {Appointments} from '../../base/due.ts';
import {explanation} from '../../base/errors.ts';
import type {Kept} from '../../base/shapes/kit.ts';
import type {Finding} from '../../base/shapes/targets.ts';
import {moment} from '../../base/units.ts';
import {waysOut} from '../restore/roll-back.ts';
import type {Workshop} from '../runs/workshop.ts';
import type {RestoreRecord} from '../state/restores.ts';
import type {State} from '../state/state.ts';

/** Without it no run can begin: what must be undone after a kill stands there. */
export function examineState({tryToWrite}: Pick<State, 'tryToWrite'>): Finding[] {
	try {
		tryToWrite();
		return [];
	} catch (error) {
		const {message, hint} = explanation(error);
		return [{level: 'error', subject: 'state', message: `${message}: no run can begin`, ...(hint === undefined ? {} : {hint})}];
	}
}

export const leftToPerson = ({run, target, phase}: RestoreRecord): Finding[] =>
	phase === 'failed'
		? [
				{
					level: 'error',
					subject: target,
					message: `restore ${run} failed, and left it half replaced: no backup is made of it`,
					hint: waysOut(run),
				},
			]
		: [];

export const suspicious = (subject: string, message: string): Finding => ({
	level: 'warning',
	subject,
	message,
	hint: `if nothing is lost: holdfast prune --accept ${subject}`,
});

/** Those of the engine and of database servers stand with them. */
export function versionsOf({holdfast, restic}: Workshop['versions']): Finding {
	const {node, sqlite} = process.versions;
	return {level: 'ok', subject: 'version', message: `Holdfast ${holdfast}, restic ${restic}, SQLite ${sqlite}, Node ${node}`};
}

/** A repository whose password went with the host is lost, too. */
export const examineKit = (kept: Kept | null): Finding =>
	kept === null
		? {
				level: 'warning',
				subject: 'kit',
				message:
					'nobody has said that what opens the repositories is kept elsewhere: with the host it would be gone, and every backup with it',
				hint: '`holdfast kit` prints it; when it is kept: holdfast kit --kept',
			}
		: {level: 'ok', subject: 'kit', message: `what opens the repositories is kept elsewhere, as was said at ${kept.at}`};

/** Where nobody set TZ, three o'clock is three o'clock in Greenwich. */
export function timeZone(appointments: Appointments): Finding {
	const count = appointments().length;
	return {
		level: 'ok',
		subject: 'clock',
		message: `it is ${moment(new Date().toISOString())} in ${ownTimeZone()}, the zone of ${count} schedules (TZ)`,
	};
}
