/** Runs: those under way, and all that ever ended. Part of the state database. */
import type {DatabaseSync, SQLOutputValue} from 'node:sqlite';
import type {Operation, Outcome, RunResult} from '../../base/results.ts';
import type {StateDatabase} from './database.ts';
import {createUnwritten, unlessUnwritable} from './unwritten.ts';

export interface RunRecord {
	run: string;
	target: string;
	operation: Operation;
	trigger: string;
	state: 'queued' | 'running' | 'finished';
	outcome: Outcome | null;
	/** Milliseconds since 1970: asked for, begun, ended. */
	queuedAt: number;
	startedAt: number | null;
	finishedAt: number | null;
	result: RunResult | null;
}

export interface RunStore {
	/** @throws {UnwritableError}: no run begins that is not written down */
	insertRun: (run: {run: string; target: string; operation: Operation; trigger: string; queuedAt: number}) => void;
	startRun: (run: string, startedAt: number) => void;
	/** It is over, whether that can be written down now or not. Lets go of the events of runs that finished long ago: those of the last 500 are kept. */
	finishRun: (run: string, finishedAt: number, result: RunResult) => void;
	/** Newest first, in the order of asking: the clock may have been ahead once. 100 unless `limit` says otherwise. */
	runs: (options?: {
		target?: string | undefined;
		operation?: Operation | undefined;
		outcome?: Outcome | undefined;
		/** Only those that are over. */
		isFinished?: boolean | undefined;
		trigger?: string | undefined;
		limit?: number | undefined;
		/** Only those that were asked for after it: milliseconds since 1970. */
		since?: number | undefined;
	}) => RunRecord[];
	/** The last finished run of each target and operation, and the last successful one; newest first. */
	lastRuns: () => RunRecord[];
	/** How many runs of each target and operation ended how, ever. */
	countRuns: () => Array<{target: string; operation: Operation; outcome: Outcome; count: number}>;
	/** The outage of every backup that had one. */
	quiesced: () => Array<{target: string; quiesceSeconds: number}>;
	findRun: (run: string) => RunRecord | undefined;
	/** Runs that were queued or running when the agent died; oldest first. */
	interruptedRuns: () => RunRecord[];
}

/** Events of this many finished runs are kept. */
const keptRuns = 500;

type Row = Record<string, SQLOutputValue>;

/** How far a run is, where that is not written yet. */
interface Progress {
	startedAt?: number | undefined;
	end?: {finishedAt: number; result: RunResult};
}

export function openRuns(database: StateDatabase): RunStore {
	const {ended, ...records} = openRecords(database);
	return {...records, ...openHistory(database, ended)};
}

/** A run that is over, and its place in the order of asking. */
interface Ended extends RunRecord {
	place: number;
}

function openRecords(database: StateDatabase): Omit<RunStore, keyof History> & {ended: () => Ended[]} {
	const insert = database.prepare("insert into runs (run, target, operation, trigger, state, queued_at) values (?, ?, ?, ?, 'queued', ?)");
	const begin = database.prepare("update runs set state = 'running', started_at = ? where run = ? and state = 'queued'");
	const finish = database.prepare(
		"update runs set state = 'finished', finished_at = ?, outcome = ?, result = ? where run = ? and state <> 'finished'",
	);
	const find = database.prepare('select *, rowid as place from runs where run = ?');
	const unfinished = database.prepare("select * from runs where state <> 'finished' order by rowid");
	// A few at once: the clock may have been set between two ends
	const prune = database.prepare(`delete from events where run in (
		select run from runs where state = 'finished' order by finished_at desc limit 20 offset ${keptRuns})`);
	const unwritten = createUnwritten<string, Progress>(database, (run, {startedAt, end}) => {
		if (startedAt !== undefined) {
			begin.run(startedAt, run);
		}

		if (end !== undefined) {
			finish.run(end.finishedAt, end.result.outcome, JSON.stringify(end.result), run);
			prune.run();
		}
	});
	const findRun = (run: string) => {
		const row = find.get(run);
		return row && known(row, unwritten.left());
	};
	return {
		insertRun({run, target, operation, trigger, queuedAt}) {
			database.layAside();
			insert.run(run, target, operation, trigger, queuedAt);
		},
		startRun(run, startedAt) {
			unlessUnwritable(() => expect(findRun(run)?.state === 'queued', `run ${run} is not queued`));
			unwritten.keep(run, {startedAt});
		},
		finishRun(run, finishedAt, result) {
			unlessUnwritable(() => expect((findRun(run)?.state ?? 'finished') !== 'finished', `run ${run} is not under way`));
			unwritten.keep(run, {startedAt: unwritten.left().get(run)?.startedAt, end: {finishedAt, result}});
		},
		runs({target, operation, outcome, isFinished = false, trigger, limit = 100, since = 0} = {}) {
			const left = unwritten.left();
			const asked = [
				...when(since > 0, 'queued_at >= ?', since),
				...Object.entries({target, operation, trigger}).flatMap(([column, value]) =>
					when(value !== undefined, `${column} = ?`, value ?? ''),
				),
				...when(outcome !== undefined, `(outcome = ? or ${isAmong})`, outcome ?? '', JSON.stringify([...left.keys()])),
				...when(isFinished, `(state = 'finished' or ${isAmong})`, JSON.stringify([...left.keys()])),
			];
			const where = asked.map(({condition}) => condition).join(' and ') || 'true';
			return database
				.prepare(`select * from runs where ${where} order by rowid desc limit ?`)
				.all(...asked.flatMap(({values}) => values), limit + left.size)
				.map(row => known(row, left))
				.filter(record => (outcome === undefined || record.outcome === outcome) && (!isFinished || record.state === 'finished'))
				.slice(0, limit);
		},
		findRun,
		/** Those whose end is not written yet. */
		ended() {
			const left = unwritten.left();
			return [...left.keys()]
				.map(run => find.get(run))
				.filter(row => row !== undefined)
				.map(row => ({...known(row, left), place: Number(row.place)}))
				.filter(({state}) => state === 'finished');
		},
		interruptedRuns() {
			const left = unwritten.left();
			return unfinished
				.all()
				.map(row => known(row, left))
				.filter(({state}) => state !== 'finished');
		},
	};
}

/** Of runs that are known to have ended in another way than is written. */
const isAmong = 'run in (select value from json_each(?))';

const when = (isAsked: boolean, condition: string, ...values: Array<string | number>) => (isAsked ? [{condition, values}] : []);

type History = Pick<RunStore, 'lastRuns' | 'countRuns' | 'quiesced'>;

/** @param ended runs whose end is not written yet: they count as the others do */
function openHistory(database: DatabaseSync, ended: () => Ended[]): History {
	// With max(), SQLite takes the other columns from the row that has it
	const last = (where: string) => `select *, max(rowid) as place from runs where state = 'finished' ${where} group by target, operation`;
	const latest = database.prepare(`select * from (${last('')}) union select * from (${last("and outcome = 'success'")})`);
	const counts = database.prepare(
		"select target, operation, outcome, count(*) as count from runs where state = 'finished' group by target, operation, outcome",
	);
	const outages = database.prepare(`select target, json_extract(result, '$.quiesceSeconds') as seconds from runs
		where state = 'finished' and operation = 'backup' and json_extract(result, '$.quiesceSeconds') > 0`);
	return {
		lastRuns() {
			const unwritten = ended();
			const all = [...latest.all().map(row => ({...runRecord(row), place: Number(row.place)})), ...unwritten];
			const seen = new Set<string>();
			return all
				.sort((a, b) => b.place - a.place)
				.filter(({target, operation, outcome}) => {
					const isFirst = (of: string) =>
						!seen.has(`${of} ${operation} ${target}`) && seen.add(`${of} ${operation} ${target}`) !== undefined;
					const isLast = isFirst('last');
					return (outcome === 'success' && isFirst('success')) || isLast;
				})
				.map(({place: _, ...record}) => record);
		},
		countRuns() {
			const written = counts.all().map(({target, operation, outcome, count}) => ({
				target: String(target),
				operation: operation as Operation,
				outcome: outcome as Outcome,
				count: Number(count),
			}));
			for (const {target, operation, outcome} of ended()) {
				const same = written.find(other => other.target === target && other.operation === operation && other.outcome === outcome);
				if (same === undefined) {
					written.push({target, operation, outcome: outcome as Outcome, count: 1});
				} else {
					same.count++;
				}
			}

			return written;
		},
		quiesced: () => [
			...outages.all().map(({target, seconds}) => ({target: String(target), quiesceSeconds: Number(seconds)})),
			...ended().flatMap(({target, operation, result}) =>
				operation === 'backup' && result !== null && 'quiesceSeconds' in result && result.quiesceSeconds > 0
					? [{target, quiesceSeconds: result.quiesceSeconds}]
					: [],
			),
		],
	};
}

function expect(isSo: boolean, otherwise: string): void {
	if (!isSo) {
		throw new Error(otherwise);
	}
}

function known(row: Row, left: ReadonlyMap<string, Progress>): RunRecord {
	const record = runRecord(row);
	const {startedAt = record.startedAt, end} = left.get(record.run) ?? {};
	if (end !== undefined) {
		return {...record, startedAt, state: 'finished', outcome: end.result.outcome, ...end};
	}

	return {...record, startedAt, state: record.state === 'queued' && startedAt !== null ? 'running' : record.state};
}

/** The words in the columns were written by `insertRun` and `finishRun`. */
function runRecord(row: Row): RunRecord {
	return {
		run: String(row.run),
		target: String(row.target),
		operation: row.operation as Operation,
		trigger: String(row.trigger),
		state: row.state as RunRecord['state'],
		outcome: row.outcome as Outcome | null,
		queuedAt: Number(row.queued_at),
		startedAt: row.started_at as number | null,
		finishedAt: row.finished_at as number | null,
		result: row.result === null ? null : (JSON.parse(String(row.result)) as RunResult),
	};
}
