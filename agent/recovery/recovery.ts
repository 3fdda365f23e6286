/** What an agent does first: put right what an earlier life of it left when it was killed. */
import {setTimeout as delay} from 'node:timers/promises';
import {explain} from '../../base/errors.ts';
import type {EventHub} from '../../base/events.ts';
import type {Log} from '../../base/log.ts';
import type {Notice, Notices} from '../../base/notices.ts';
import {removeLeftovers} from '../../docker/dismiss.ts';
import type {Engine} from '../../docker/engine.ts';
import {removedSince} from '../../docker/gone.ts';
import type {JournalEntry} from '../../docker/resume.ts';
import {undoUnfinished} from '../../docker/unfinished.ts';
import type {Sweeper} from '../keep/sweep.ts';
import type {State} from '../state/state.ts';

export interface Recovery {
	engine: Engine;
	state: State;
	hub: EventHub;
	log: Log;
}

interface PuttingBack {
	isWanted: (entry: JournalEntry) => boolean;
	signal: AbortSignal;
	/** Hear once of each that could not be put back, and of its end. None: its run has said so. */
	notices?: Pick<Notices, 'send'>;
}

/**
 * Containers first: every second counts for them, and it needs nothing but the engine.
 * @returns whether all that is wanted is put back
 */
export async function putBack({engine, state, log}: Recovery, {isWanted, signal, notices}: PuttingBack): Promise<boolean> {
	const wanted = state.open().filter(isWanted);
	const {undone, failures, removed, open} = await undoUnfinished({engine, journal: state, isWanted, signal});
	for (const name of undone) {
		log.warning(`container \`${name}\` was put back: an earlier run had left it quiesced`);
	}

	const missed = [...failures, ...removed.map(entry => ({entry, error: removedSince(entry.undo)}))];
	for (const {error} of missed) {
		log.error(explain(error));
	}

	const why = new Map(missed.map(({entry, error}) => [entry.id, explain(error)]));
	const stillOpen = new Set(state.open().map(({id}) => id));
	for (const entry of notices === undefined ? [] : wanted.filter(({id}) => why.has(id) || !stillOpen.has(id))) {
		const notice = noticeOf(entry, why.get(entry.id));
		if (state.tellOnce(`left ${entry.run} ${entry.undo.containerName}`, notice.kind === 'left' ? notice.text : null)) {
			notices?.send({...notice, target: state.findRun(entry.run)?.target ?? entry.undo.containerName, at: Date.now()});
		}
	}

	return open === 0;
}

const noticeOf = ({run, undo: {containerName}}: JournalEntry, why: string | undefined): Pick<Notice, 'kind' | 'text'> =>
	why === undefined
		? {kind: 'back', text: `container \`${containerName}\`, which run ${run} had left quiesced, is put back`}
		: {kind: 'left', text: `the agent was killed in run ${run}: ${why}`};

export async function removeWorkers({engine, state, log}: Recovery): Promise<void> {
	const {names, left} = await removeLeftovers(engine, state.agentId);
	for (const name of names) {
		log.info(`worker \`${name}\` of an interrupted run was removed`);
	}

	if (left !== undefined) {
		log.warning(`the engine cannot remove all that interrupted runs left, and it only takes room: ${explain(left)}`);
	}
}

const releaseAttempts = 5;
const releaseRetryMs = 2000;

/** What the dead left would shut out everybody for half an hour, and a dead one's process id may be another's just now: so, a few times. @throws the signal's reason */
export async function releaseLocks(sweeper: Pick<Sweeper, 'releaseLocks'>, log: Log, signal: AbortSignal): Promise<void> {
	for (let attempt = 1; attempt <= releaseAttempts; attempt++) {
		let pauseMs = releaseRetryMs;
		try {
			const {removed, left, warning, ripeAt} = await sweeper.releaseLocks();
			for (const {hostname, pid} of removed) {
				log.warning(`the lock of process ${pid} on \`${hostname}\`, which is gone, was removed from the repository`);
			}

			if (warning !== undefined) {
				log.warning(warning);
			}

			if (ripeAt !== undefined && warning === undefined && !left.some(({isDead}) => isDead)) {
				// Of a name that others may have, too: it must grow old first. Who refreshes it makes it younger.
				pauseMs = Math.max(releaseRetryMs, ripeAt - Date.now());
			} else if (warning !== undefined || !left.some(({isDead}) => isDead)) {
				return;
			}
		} catch (error) {
			log.warning(`locks of interrupted runs could not be removed from the repository: ${explain(error)}`);
		}

		await delay(pauseMs, undefined, {signal});
	}
}
