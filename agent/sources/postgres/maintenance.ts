/** The database from which a server is asked: mostly `postgres`, which need not exist, nor let the role in. */
import {RunError} from '../../../base/errors.ts';

/** Rows of texts: what a statement says when it is asked in a database. */
export type Query = (database: string, sql: string) => Promise<string[][]>;

/** The server did not begin a session, or ended it. */
export class NoSessionError extends RunError {}

const usual = ['postgres', 'template1'];

const openSql = `select to_json(datname) from pg_database
	where datallowconn and not datistemplate and has_database_privilege(datname, 'connect') order by datname`;

export interface Maintenance {
	/** @param except is renamed or dropped @throws with why none lets the role in */
	maintenance: (except?: string) => Promise<string>;
	/** Rows of a question that does not depend on a database, from the first that lets the role in. @throws with why none does */
	anywhere: (sql: string) => Promise<string[][]>;
}

/** @param further that the server may have, by their names */
export function maintenanceIn(query: Query, further: readonly string[]): Maintenance {
	const admitted = new Set<string>();
	const failed = new Map<string, unknown>();
	const candidates = () => [...new Set([...admitted, ...usual, ...further])];

	/** Undefined: it does not let the role in. */
	const askIn = async (database: string, sql: string): Promise<string[][] | undefined> => {
		try {
			const rows = await query(database, sql);
			admitted.add(database);
			failed.delete(database);
			return rows;
		} catch (error) {
			if (!(error instanceof NoSessionError)) {
				throw error;
			}

			admitted.delete(database);
			failed.set(database, error);
			return undefined;
		}
	};

	const admits = async (database: string): Promise<boolean> =>
		admitted.has(database) || (!failed.has(database) && (await askIn(database, 'select')) !== undefined);

	const refused = (): unknown => {
		const [first] = failed.values();
		failed.clear();
		return first;
	};

	return {
		async anywhere(sql) {
			for (const database of candidates()) {
				const rows = await askIn(database, sql);
				if (rows !== undefined) {
					return rows;
				}
			}

			throw refused();
		},
		async maintenance(except) {
			for (const database of candidates()) {
				if (database !== except && (await admits(database))) {
					return database;
				}
			}

			if (except === undefined || !(await admits(except))) {
				throw refused();
			}

			for (const [name = '""'] of await query(except, openSql)) {
				const database = JSON.parse(name) as string;
				if (database !== except && (await admits(database))) {
					return database;
				}
			}

			throw new RunError(
				`the server lets the role into no database but \`${except}\`, and none can be renamed or dropped from within itself`,
				{
					hint: 'let it into another: `grant connect on database postgres to …`, and see pg_hba.conf',
				},
			);
		},
	};
}
