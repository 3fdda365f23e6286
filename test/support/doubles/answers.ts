/** What Postgres servers answer, by their container's id. */
import type {Answers} from '../../../agent/plan/planned.ts';
import type {PostgresAnswer} from '../../../agent/sources/postgres/ask.ts';
import type {FoundFiles} from '../../../agent/sources/sqlite/find.ts';

export interface Said {
	databases?: ReadonlyMap<string, readonly string[]>;
	/** Those that allow no connections. */
	closedDatabases?: ReadonlyMap<string, readonly string[]>;
	/** What of the answer of each PostgreSQL server is not as usual. */
	odd?: Partial<PostgresAnswer['databases']>;
	dataDirectories?: ReadonlyMap<string, readonly string[]>;
	/** SQLite databases that were found. */
	files?: ReadonlyMap<string, FoundFiles>;
}

export function answersOf({
	databases = new Map(),
	closedDatabases = new Map(),
	odd = {},
	dataDirectories = new Map(),
	files = new Map(),
}: Said): Answers {
	const ids = [...databases.keys(), ...closedDatabases.keys(), ...dataDirectories.keys()];
	return new Map<string, Record<string, unknown>>([
		...[...files].map(([id, sqlite]): [string, Record<string, unknown>] => [id, {sqlite}]),
		...ids.map(id => {
			const answer: PostgresAnswer = {
				databases: {open: [...(databases.get(id) ?? [])], closed: [...(closedDatabases.get(id) ?? [])], ...odd},
				...(dataDirectories.has(id) ? {folders: dataDirectories.get(id) ?? []} : {}),
			};
			return [id, {postgres: answer, sqlite: files.get(id)}] as [string, Record<string, unknown>];
		}),
	]);
}
