/** What Postgres servers answer, by their container's id. */
import type {Answers} from '../../agent/plan/planned.ts';
import type {PostgresAnswer} from '../../agent/sources/postgres/ask.ts';

export interface Said {
	databases?: ReadonlyMap<string, readonly string[]>;
	/** Those that allow no connections. */
	closedDatabases?: ReadonlyMap<string, readonly string[]>;
	dataDirectories?: ReadonlyMap<string, readonly string[]>;
}

export function answersOf({databases = new Map(), closedDatabases = new Map(), dataDirectories = new Map()}: Said): Answers {
	const ids = [...databases.keys(), ...closedDatabases.keys(), ...dataDirectories.keys()];
	return new Map(
		ids.map(id => {
			const answer: PostgresAnswer = {
				databases: {open: [...(databases.get(id) ?? [])], closed: [...(closedDatabases.get(id) ?? [])]},
				...(dataDirectories.has(id) ? {folders: dataDirectories.get(id) ?? []} : {}),
			};
			return [id, {postgres: answer}];
		}),
	);
}
