/** What outlives the agent: runs, their events, the journal of undos. The only importer of node:sqlite in the agent. */
import {createHash, randomBytes} from 'node:crypto';
import {DatabaseSync, type SQLOutputValue} from 'node:sqlite';
import type {Journal, Undo} from '../docker/resume.ts';
import type {Audit, AuditView, Notes} from './audit.ts';
import type {Operation, Outcome, RunEvent, RunResult} from './events.ts';
import {type Housekeeping, openHousekeeping} from './housekeeping.ts';
import {migrations} from './migrations.ts';
import type {RestoreJournal, RestorePhase} from './replacements.ts';
import type {Replacement} from './sources/restoring.ts';

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

export interface State extends Journal, RestoreJournal, Housekeeping, Notes {
	readonly audit: Audit;
	/** Random, made once; marks this agent's workers on a shared engine. */
	readonly agentId: string;
	insertRun: (run: {run: string; target: string; operation: Operation; trigger: string; queuedAt: number}) => void;
	startRun: (run: string, startedAt: number) => void;
	/** Lets go of the events of runs that finished long ago: those of the last 500 are kept. */
	finishRun: (run: string, finishedAt: number, result: RunResult) => void;
	/** Newest first; 100 unless `limit` says otherwise. */
	runs: (options?: {
		target?: string | undefined;
		operation?: Operation | undefined;
		outcome?: Outcome | undefined;
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
	/** Of the progress of a source, only the latest is kept. */
	appendEvent: (event: RunEvent) => void;
	events: (run: string) => RunEvent[];
	/** The id of the repository that was opened at this location before; a location is never stored as it is (it may hold secrets). */
	knownRepository: (location: string) => string | undefined;
	rememberRepository: (location: string, id: string) => void;
	/** When a target, or an entry of the schedule, was first seen: so a missed run can be told from a new target. */
	firstSeen: (subject: string, now: number) => number;
	close: () => void;
}

/** Events of this many finished runs are kept. */
const keptRuns = 500;

type Row = Record<string, SQLOutputValue>;

/**
 * What returns is on disk: each statement is a transaction that ends with an fsync.
 *
 * @throws when the file cannot be opened, is damaged, or was written by a newer Holdfast. It is never deleted or replaced:
 * it may hold undos.
 */
export function openState(path: string): State {
	const database = openDatabase(path);
	return {
		agentId: agentIdOf(database),
		...openRuns(database),
		...openHistory(database),
		...openEvents(database),
		...openJournal(database),
		...openMemory(database),
		...openRestores(database),
		...openNotes(database),
		...openHousekeeping(database),
		audit: openAudit(database),
		close: () => database.close(),
	};
}

function openDatabase(path: string): DatabaseSync {
	const database = opened(path, () => new DatabaseSync(path, {timeout: 5000}));
	try {
		opened(path, () => {
			// Before anything is written: a damaged file is left as it is
			const {quick_check: found} = database.prepare('pragma quick_check(1)').get() ?? {};
			if (found !== 'ok') {
				throw new Error(String(found));
			}

			database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on');
		});
		migrate(database, path);
		return database;
	} catch (error) {
		database.close();
		throw error;
	}
}

function opened<Value>(path: string, open: () => Value): Value {
	try {
		return open();
	} catch (error) {
		throw new Error(
			`the state database \`${path}\` cannot be used. It may hold what must still be undone, so it is left as it is. Put a good copy in its place; or, once every container of the targets is in its right state, move it away to begin with an empty history`,
			{cause: error},
		);
	}
}

function migrate(database: DatabaseSync, path: string): void {
	const version = Number(database.prepare('pragma user_version').get()?.user_version);
	if (version > migrations.length) {
		throw new Error(
			`\`${path}\` has version ${version}, and this Holdfast knows ${migrations.length} at most: start the newer Holdfast again`,
		);
	}

	for (const [index, migration] of migrations.entries()) {
		if (index >= version) {
			database.exec(`begin immediate; ${migration}; pragma user_version = ${index + 1}; commit`);
		}
	}
}

function agentIdOf(database: DatabaseSync): string {
	database.prepare('insert into agent select ? where not exists (select 1 from agent)').run(randomBytes(8).toString('hex'));
	return String(database.prepare('select id from agent').get()?.id);
}

function openRuns(database: DatabaseSync): Pick<State, 'insertRun' | 'startRun' | 'finishRun' | 'runs' | 'findRun' | 'interruptedRuns'> {
	const insert = database.prepare("insert into runs (run, target, operation, trigger, state, queued_at) values (?, ?, ?, ?, 'queued', ?)");
	const start = database.prepare("update runs set state = 'running', started_at = ? where run = ? and state = 'queued'");
	const finish = database.prepare(
		"update runs set state = 'finished', finished_at = ?, outcome = ?, result = ? where run = ? and state <> 'finished'",
	);
	const find = database.prepare('select * from runs where run = ?');
	const unfinished = database.prepare("select * from runs where state <> 'finished' order by queued_at, run");
	// A few at once: the clock may have been set between two ends
	const prune = database.prepare(`delete from events where run in (
		select run from runs where state = 'finished' order by finished_at desc limit 20 offset ${keptRuns})`);
	return {
		insertRun({run, target, operation, trigger, queuedAt}) {
			insert.run(run, target, operation, trigger, queuedAt);
		},
		startRun(run, startedAt) {
			changedOne(start.run(startedAt, run).changes, `run ${run} is not queued`);
		},
		finishRun(run, finishedAt, result) {
			changedOne(finish.run(finishedAt, result.outcome, JSON.stringify(result), run).changes, `run ${run} is not under way`);
			prune.run();
		},
		runs({target, operation, outcome, trigger, limit = 100, since = 0} = {}) {
			const asked = Object.entries({target, operation, outcome, trigger}).filter((pair): pair is [string, string] => pair[1] !== undefined);
			const where = asked.map(([column]) => `and ${column} = ?`).join(' ');
			return database
				.prepare(`select * from runs where queued_at >= ? ${where} order by queued_at desc, run desc limit ?`)
				.all(since, ...asked.map(([, value]) => value), limit)
				.map(runRecord);
		},
		findRun(run) {
			const row = find.get(run);
			return row && runRecord(row);
		},
		interruptedRuns: () => unfinished.all().map(runRecord),
	};
}

function openHistory(database: DatabaseSync): Pick<State, 'lastRuns' | 'countRuns' | 'quiesced'> {
	// With max(), SQLite takes the other columns from the row that has it
	const last = (where: string) => `select *, max(queued_at) from runs where state = 'finished' ${where} group by target, operation`;
	const latest = database.prepare(
		`select * from (${last('')}) union select * from (${last("and outcome = 'success'")}) order by queued_at desc, run desc`,
	);
	const counts = database.prepare(
		"select target, operation, outcome, count(*) as count from runs where state = 'finished' group by target, operation, outcome",
	);
	const outages = database.prepare(`select target, json_extract(result, '$.quiesceSeconds') as seconds from runs
		where state = 'finished' and operation = 'backup' and json_extract(result, '$.quiesceSeconds') > 0`);
	return {
		lastRuns: () => latest.all().map(runRecord),
		countRuns: () =>
			counts.all().map(({target, operation, outcome, count}) => ({
				target: String(target),
				operation: operation as Operation,
				outcome: outcome as Outcome,
				count: Number(count),
			})),
		quiesced: () => outages.all().map(({target, seconds}) => ({target: String(target), quiesceSeconds: Number(seconds)})),
	};
}

function changedOne(changes: number | bigint, otherwise: string): void {
	if (Number(changes) !== 1) {
		throw new Error(otherwise);
	}
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

function openEvents(database: DatabaseSync): Pick<State, 'appendEvent' | 'events'> {
	const insert = database.prepare('insert into events (run, type, subject, event) values (?, ?, ?, ?)');
	const replace = database.prepare("update events set event = ? where run = ? and type = 'progress' and subject = ?");
	const ofRun = database.prepare('select event from events where run = ? order by id');
	return {
		appendEvent(event) {
			const text = JSON.stringify(event);
			const subject = event.type === 'progress' ? event.source : null;
			const replaced = subject !== null && Number(replace.run(text, event.run, subject).changes) > 0;
			if (!replaced) {
				insert.run(event.run, event.type, subject, text);
			}
		},
		events: run => ofRun.all(run).map(({event}) => JSON.parse(String(event)) as RunEvent),
	};
}

function openJournal(database: DatabaseSync): Journal {
	const insert = database.prepare('insert into undos (run, undo) values (?, ?)');
	const remove = database.prepare('delete from undos where id = ?');
	const all = database.prepare('select * from undos order by id');
	return {
		record: (run, undo) => Number(insert.run(run, JSON.stringify(undo)).lastInsertRowid),
		clear(id) {
			remove.run(id);
		},
		open: () => all.all().map(({id, run, undo}) => ({id: Number(id), run: String(run), undo: JSON.parse(String(undo)) as Undo})),
	};
}

function openRestores(database: DatabaseSync): RestoreJournal {
	const save = database.prepare('insert or replace into restores values (?, ?, ?, ?, ?, ?, ?, ?)');
	const all = database.prepare('select * from restores order by run');
	const remove = database.prepare('delete from restores where run = ?');
	return {
		saveRestore({run, target, point, phase, replacements, swappedAt, settledBy, keptIn}) {
			save.run(run, target, point, phase, JSON.stringify(replacements), swappedAt, settledBy, keptIn);
		},
		restores: () =>
			all.all().map(row => ({
				run: String(row.run),
				target: String(row.target),
				point: String(row.point),
				phase: row.phase as RestorePhase,
				replacements: JSON.parse(String(row.replacements)) as Replacement[],
				swappedAt: row.swapped_at as number | null,
				settledBy: row.settled_by as string | null,
				keptIn: String(row.kept_in),
			})),
		removeRestore(run) {
			remove.run(run);
		},
	};
}

function openMemory(database: DatabaseSync): Pick<State, 'knownRepository' | 'rememberRepository' | 'firstSeen'> {
	const findRepository = database.prepare('select id from repositories where location_sha256 = ?');
	const saveRepository = database.prepare('insert or replace into repositories values (?, ?)');
	const see = database.prepare('insert or ignore into targets values (?, ?)');
	const seen = database.prepare('select first_seen from targets where target = ?');
	return {
		knownRepository(location) {
			const row = findRepository.get(sha256(location));
			return row && String(row.id);
		},
		rememberRepository(location, id) {
			saveRepository.run(sha256(location), id);
		},
		firstSeen(subject, now) {
			see.run(subject, now);
			return Number(seen.get(subject)?.first_seen);
		},
	};
}

/** Refusals are anybody's to cause, so only this many are kept. */
const keptRefusals = 10_000;

/** Runs that were not asked for through Slack or the schedule stand in their own table. */
const auditLog = `
	select audit.at, audit.id as turn, who, place, action, subject, decision, reason, audit.run, coalesce(audit.outcome, runs.outcome) as outcome
		from audit left join runs on runs.run = audit.run
	union all
	select queued_at, 0, trigger, '', operation, target, 'allowed', null, run, outcome
		from runs where trigger not like 'slack:%' and trigger not like 'schedule%'`;

function openAudit(database: DatabaseSync): Audit {
	const insert = database.prepare(
		'insert or ignore into audit (at, who, place, action, subject, decision, reason, reference) values (?, ?, ?, ?, ?, ?, ?, ?)',
	);
	const prune = database.prepare(`delete from audit where id in (
		select id from audit where decision = 'refused' order by id desc limit 20 offset ${keptRefusals})`);
	const complete = database.prepare('update audit set run = coalesce(?, run), outcome = coalesce(?, outcome) where id = ?');
	const list = database.prepare(`select * from (${auditLog}) where ? is null or subject = ? order by at desc, turn desc limit ?`);
	return {
		record({who, place, action, subject, decision, reason, reference}) {
			const written = insert.run(Date.now(), who, place, action, subject, decision, reason ?? null, reference ?? null);
			if (decision === 'refused') {
				prune.run();
			}

			return Number(written.changes) === 1 ? Number(written.lastInsertRowid) : undefined;
		},
		complete(id, {run, outcome}) {
			complete.run(run ?? null, outcome ?? null, id);
		},
		entries: ({subject, limit = 100} = {}) => list.all(subject ?? null, subject ?? null, limit).map(auditView),
	};
}

const auditView = (row: Row): AuditView => ({
	at: new Date(Number(row.at)).toISOString(),
	who: String(row.who),
	place: String(row.place),
	action: String(row.action),
	subject: String(row.subject),
	decision: row.decision as AuditView['decision'],
	reason: row.reason as string | null,
	run: row.run as string | null,
	outcome: row.outcome as string | null,
});

function openNotes(database: DatabaseSync): Notes {
	const all = database.prepare('select * from notes');
	const save = database.prepare('insert or replace into notes values (?, ?)');
	const remove = database.prepare('delete from notes where key = ?');
	return {
		notes: () => Object.fromEntries(all.all().map(({key, note}) => [String(key), String(note)])),
		saveNote(key, note) {
			note === null ? remove.run(key) : save.run(key, note);
		},
	};
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
