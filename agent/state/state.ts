/** What outlives the agent, in one SQLite database. state/ has a file for each part of it. */
import {randomBytes} from 'node:crypto';
import type {DatabaseSync} from 'node:sqlite';
import type {Audit} from '../../base/audit.ts';
import type {Journal} from '../../docker/resume.ts';
import {openAudit} from './audit.ts';
import {StateDatabase, type UnwritableError} from './database.ts';
import {type Deeds, openDeeds} from './deeds.ts';
import {type Housekeeping, openHousekeeping} from './housekeeping.ts';
import {openJournal, openRestores} from './journals.ts';
import {type Memory, openMemory} from './memory.ts';
import {migrations} from './migrations.ts';
import type {RestoreJournal} from './restores.ts';
import {type EventStore, openEvents} from './run-events.ts';
import {openRuns, type RunStore} from './runs.ts';
import {unlessUnwritable} from './unwritten.ts';
import {openWatch, type Watch} from './watched.ts';

export type {RunRecord} from './runs.ts';

export interface State extends RunStore, EventStore, Journal, RestoreJournal, Memory, Housekeeping, Deeds, Watch {
	readonly audit: Audit;
	/** Random, made once; marks this agent's workers on a shared engine, and its snapshots in a shared repository. */
	readonly agentId: string;
	/** @throws {UnwritableError} */
	tryToWrite: () => void;
	close: () => void;
}

interface Options {
	/** Hears why nothing can be written: once, and again when it could be meanwhile. */
	report?: (error: UnwritableError) => void;
	connect?: (...given: ConstructorParameters<typeof StateDatabase>) => StateDatabase;
}

/**
 * What returns is on disk: each statement is a transaction that ends with an fsync. Where the disk is full, what nobody has to wait for is known
 * to this life of the agent, and written when there is room; what must be on disk before something else is done (`insertRun`, `record`,
 * `saveRestore`, `removeRestore`, `rememberForgetting`, `accept`, the audit log) throws an {@link UnwritableError}.
 *
 * @throws when the file cannot be opened, is damaged, or was written by a newer Holdfast. It is never deleted or replaced:
 * it may hold undos.
 */
export function openState(path: string, options: Options = {}): State {
	const database = openDatabase(path, options);
	const same = database.prepare('update agent set id = id');
	return {
		agentId: agentIdOf(database),
		...openRuns(database),
		...openEvents(database),
		...openJournal(database),
		...openMemory(database),
		...openRestores(database),
		...openHousekeeping(database),
		...openDeeds(database),
		...openWatch(database),
		audit: openAudit(database),
		tryToWrite() {
			database.layAside();
			same.run();
		},
		close: () => database.close(),
	};
}

function openDatabase(path: string, {report, connect = (...given) => new StateDatabase(...given)}: Options): StateDatabase {
	const database = opened(path, () => connect(path, report));
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
		unlessUnwritable(() => database.layAside());
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
