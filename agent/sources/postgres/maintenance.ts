/** The database from which a server is asked: mostly `postgres`, which need not exist, nor let the role in. */
import {RunError} from '../../../base/errors.ts';

/** Rows of texts: what a statement says when it is asked in a database. */
export type Query = (database: string, sql: string) => Promise<string[][]>;

/** The server did not begin a session, or ended it. */
export class NoSessionError extends RunError {}

const usual = ['postgres', 'template1'];

const openSql = `select to_json(datname) from pg_database
	where datallowconn and not datistemplate and has_database_privilege(datname, 'connect') order by datname`;

/** @param further that the server may have, by their names */
export function maintenanceIn(query: Query, further: readonly string[]): (except?: string) => Promise<string> {
	const admitted = new Set<string>();
	const failed = new Map<string, unknown>();
	const admits = async (database: string): Promise<boolean> => {
		if (!admitted.has(database) && !failed.has(database)) {
			await query(database, 'select').then(
				() => admitted.add(database),
				(error: unknown) => {
					if (!(error instanceof NoSessionError)) {
						throw error;
					}

					failed.set(database, error);
				},
			);
		}

		return admitted.has(database);
	};

	return async except => {
		const known = [...admitted].find(database => database !== except);
		if (known !== undefined) {
			return known;
		}

		for (const database of new Set([...usual, ...further])) {
			if (database !== except && (await admits(database))) {
				return database;
			}
		}

		if (except === undefined || !(await admits(except))) {
			const [first] = failed.values();
			failed.clear();
			throw first;
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
	};
}
