/** Restores that an earlier life of the agent did not end, or this one could not: each is rolled back, or let go, in a run of its own that says so. */

import {setTimeout as delay} from 'node:timers/promises';
import {explain} from '../../base/errors.ts';
import type {EventHub} from '../../base/events.ts';
import {failed} from '../../base/failed.ts';
import type {Log} from '../../base/log.ts';
import type {Notices} from '../../base/notices.ts';
import {type RestoreResult, rollBackTrigger} from '../../base/results.ts';
import type {Engine} from '../../docker/engine.ts';
import type {JournalEntry} from '../../docker/resume.ts';
import {undoUnfinished} from '../../docker/unfinished.ts';
import {closeRun} from '../runs/close.ts';
import {describeReplaced} from '../sources/kinds.ts';
import {isHalfDone, isUnjudged, lastSettler, type RestoreRecord, runsOf} from '../state/restores.ts';
import type {RunRecord, State} from '../state/state.ts';
import {tellOfKept} from './expire.ts';
import {refusalOf} from './judge.ts';
import {waysOut} from './roll-back.ts';
import type {Settle} from './settle.ts';

interface Recovery {
	engine: Engine;
	state: State;
	hub: EventHub;
	log: Log;
	notices: Pick<Notices, 'send'>;
	/** None of its targets is there any more. */
	isGone: (record: RestoreRecord) => Promise<boolean>;
}

/** How often it is tried again what could not be settled: its server may not be up yet. */
const firstRetryMs = 5000;
const longestRetryMs = 30 * 60_000;

/** How often it is looked for what a run of this life left half done. */
const lookMs = 10_000;

const isUnsettled = (record: RestoreRecord): boolean =>
	isHalfDone(record) || isUnjudged(record) || record.phase === 'loading' || record.phase === 'finishing';

/** Whether the container must not start before its data is in order. */
export const isHeldBack = ({run}: JournalEntry, {restores}: Pick<State, 'restores'>): boolean =>
	restores().some(record => isHalfDone(record) && runsOf(record).includes(run));

export function resultOf({run, target}: RunRecord, record: RestoreRecord | undefined): RestoreResult {
	const common = {run, target, point: record?.point ?? '', outageSeconds: 0};
	if (record?.phase === 'swapped') {
		const replaced = record.replacements.flatMap(replacement => describeReplaced(replacement, target) ?? []);
		return {...common, outcome: 'success', replaced};
	}

	return failed.restore({run, target}, common.point, `the agent ended while the run was under way${whatBecomesOf(record)}`);
}

function whatBecomesOf(record: RestoreRecord | undefined): string {
	if (record === undefined) {
		return '';
	}

	return record.phase === 'failed'
		? `, and what it had replaced could not all be put back; ${waysOut(record.run)}`
		: ', and what it did is rolled back';
}

interface Settling {
	settle: Settle;
	/** The newest undo that is theirs. */
	upTo: number;
	signal: AbortSignal;
	/** By the run of this life that has it in hand, it is settled. */
	isUnderWay: (run: string) => boolean;
	/** Which of them; by default all that are not settled. */
	isWanted?: (record: RestoreRecord) => boolean;
}

/**
 * Until the signal: what an earlier life left is settled, and beside it what a run of this life leaves. Of the former some may never be: who needs
 * the latter must not wait for that.
 */
export async function settleRestores(recovery: Recovery, {signal, ...settling}: Omit<Settling, 'isWanted'>): Promise<void> {
	const earlier = new Set(recovery.state.restores().map(({run}) => run));
	const isWanted = (record: RestoreRecord) => earlier.has(record.run) && isUnsettled(record);
	await Promise.all([
		recoverRestores(recovery, {...settling, signal, isWanted}).then(() => earlier.clear()),
		keepRecoveringRestores(recovery, {...settling, signal, isOthers: ({run}) => earlier.has(run)}),
	]);
}

/** Returns when all is settled; tries again until then. */
export async function recoverRestores(
	recovery: Recovery,
	{settle, upTo, signal, isUnderWay, isWanted = isUnsettled}: Settling,
): Promise<void> {
	const {engine, state, log, notices, isGone} = recovery;
	const isFree = (record: RestoreRecord) => !runsOf(record).some(isUnderWay);
	for (let retryMs = firstRetryMs; ; retryMs = Math.min(retryMs * 2, longestRetryMs)) {
		const unsettled = state.restores().filter(record => isWanted(record) && isFree(record));
		const outcomes = await Promise.all(unsettled.map(recoverOne));
		if (outcomes.every(Boolean) || signal.aborted) {
			return;
		}

		await delay(retryMs, undefined, {signal}).catch(() => {});
	}

	async function recoverOne(found: RestoreRecord): Promise<boolean> {
		try {
			const record = isUnjudged(found) ? await judge(recovery, found, signal) : found;
			return record === undefined || (await settleOne(record));
		} catch (error) {
			log.error(
				`restore ${found.run} of \`${found.target}\`, which was interrupted, could not be settled, trying again: ${explain(error)}`,
			);
			return false;
		}
	}

	async function settleOne(record: RestoreRecord): Promise<boolean> {
		const verb = record.phase === 'finishing' ? 'finish' : 'undo';
		const runs = new Set(runsOf(record));
		const isWanted = ({run, id}: JournalEntry) => runs.has(run) && id <= upTo;
		const startStopped = async () => {
			const {failures} = await undoUnfinished({engine, journal: state, isWanted, signal});
			if (failures.length > 0) {
				throw new AggregateError(failures.map(({error}) => error));
			}
		};

		if (await isGone(record)) {
			tellOfKept({state, notices}, record, Date.now());
			return false;
		}

		const settler = lastSettler(record);
		const isRollBack = verb === 'undo' && (settler === undefined || state.findRun(settler)?.trigger === rollBackTrigger);
		const {outcome, error} = await settle(record, verb, {trigger: isRollBack ? rollBackTrigger : 'recovery', startStopped}).finished;
		if (outcome === 'failed') {
			throw new Error(error);
		}

		log.warning(
			`restore ${record.run} of \`${record.target}\`, which was interrupted, ${verb === 'undo' ? 'is rolled back' : 'is finished'}`,
		);
		return true;
	}
}

/** Ends the interrupted run with what the application says. @returns what is to be undone; undefined: nothing */
async function judge({engine, state, hub, log}: Recovery, record: RestoreRecord, signal: AbortSignal): Promise<RestoreRecord | undefined> {
	const {run, point} = record;
	const refusal = await refusalOf(record, {engine, state, warn: message => log.warning(message), signal});
	const now = state.restores().find(each => each.run === run);
	// A person may have decided meanwhile.
	const refused = refusal !== undefined && now !== undefined && isUnjudged(now) ? {...now, phase: 'undoing' as const} : undefined;
	if (now !== undefined && isUnjudged(now)) {
		state.saveRestore({...(refused ?? now), unjudged: []});
	}

	for (const interrupted of state.interruptedRuns().filter(each => each.run === run)) {
		const why = `the agent ended while the run was under way, and the application is not well on what was restored (${refusal}): what was there before is put back`;
		closeRun({state, hub, log}, interrupted, refused === undefined ? resultOf(interrupted, now) : failed.restore(interrupted, point, why));
	}

	return refused;
}

/**
 * Until the signal: runs of this life that are over, half done, and could not start what they had stopped, because the engine was gone for long.
 * Nothing is started before its data is in order.
 */
export async function keepRecoveringRestores(
	recovery: Recovery,
	{
		settle,
		isUnderWay,
		signal,
		isOthers = () => false,
	}: Pick<Settling, 'settle' | 'signal' | 'isUnderWay'> & {isOthers?: (record: RestoreRecord) => boolean},
): Promise<void> {
	const isWanted = (record: RestoreRecord) => isHalfDone(record) && !isOthers(record);
	while (!signal.aborted) {
		await recoverRestores(recovery, {settle, upTo: Number.POSITIVE_INFINITY, signal, isUnderWay, isWanted});
		await delay(lookMs, undefined, {signal}).catch(() => {});
	}
}
