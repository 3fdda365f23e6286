/** What pg_restore could not do in its turn, once all the rest is there. */
import {explain} from '../../../base/errors.ts';
import type {PostgresServer} from './server.ts';
import {quoteLiteral} from './sql.ts';
import {withoutEventTriggers} from './timeouts.ts';
import type {Postponed} from './tolerated.ts';

interface Later {
	database: string;
	postponed: readonly Postponed[];
	/** Paths in which functions may find what they need: tried one after the other. */
	searchPaths: readonly string[];
	/** Told, and part of the result. */
	tolerate: (what: string) => void;
	signal: AbortSignal;
}

/**
 * A materialized view may need another that comes behind it, a search path, or a server that cannot be reached: what fails still has no content, and that is told. A foreign key that the
 * rows do not keep (they came in while triggers were off) holds for new ones only, as it did. Each statement is one argument: psql reads no commands of its own in it.
 */
export async function doPostponed(server: PostgresServer, {database, postponed, searchPaths, tolerate, signal}: Later): Promise<void> {
	const run = async (statement: string, path = ''): Promise<unknown> =>
		server
			.query(database, `${withoutEventTriggers}; select set_config('search_path', ${quoteLiteral(path)}, true); ${statement}`, signal)
			.catch((error: unknown) => {
				signal.throwIfAborted();
				return error;
			});

	const ofWhat = (wanted: Postponed['what']) => postponed.filter(({what}) => what === wanted);
	for (const {statement, why} of ofWhat('foreign key')) {
		const error = await run(`${statement} not valid`);
		if (error instanceof Error) {
			throw error;
		}

		tolerate(`a foreign key is made for new rows only (\`not valid\`), because those of the dump do not keep it: ${why}`);
	}

	let left = ofWhat('content').map(({statement}) => ({statement, error: undefined as unknown}));
	for (let before = Number.POSITIVE_INFINITY; left.length > 0 && left.length < before; ) {
		before = left.length;
		const failed: typeof left = [];
		for (const {statement} of left) {
			let error: unknown;
			for (const path of ['', ...searchPaths]) {
				error = await run(statement, path);
				if (!(error instanceof Error)) {
					break;
				}
			}

			failed.push(...(error instanceof Error ? [{statement, error}] : []));
		}

		left = failed;
	}

	for (const {statement, error} of left) {
		tolerate(
			`a materialized view has no content, because it could not be computed (${explain(error)}). Once what it needs is there: \`${statement}\``,
		);
	}
}
