/** The engines of a database's tables: a server that lacks one makes its tables of another, without a word, and those it keeps elsewhere (`FEDERATED`, `CONNECT`) empty. */
import {RunError} from '../../../base/errors.ts';
import {quote, quoteAll} from '../../../base/reading/quote.ts';
import {quoteLiteral} from './client.ts';
import type {MariadbServer} from './server.ts';

type Asked = Pick<MariadbServer, 'query'>;

export const enginesOf = async ({query}: Asked, database: string): Promise<string[]> =>
	(
		await query(
			`select distinct engine from information_schema.tables where table_schema = ${quoteLiteral(database)} and table_type <> 'VIEW' and engine is not null order by 1`,
		)
	).flatMap(([engine]) => engine ?? []);

/** Those that the server does not have, or does not use. */
export async function missingEngines({query}: Asked, engines: readonly string[]): Promise<string[]> {
	const rows = engines.length === 0 ? [] : await query("select engine from information_schema.engines where support in ('YES', 'DEFAULT')");
	const has = new Set(rows.map(([engine = '']) => engine.toLowerCase()));
	return engines.filter(engine => !has.has(engine.toLowerCase()));
}

export async function engineProblems(engines: readonly string[], {query, where}: Asked & Pick<MariadbServer, 'where'>): Promise<string[]> {
	const missing = await missingEngines({query}, engines);
	return missing.length === 0
		? []
		: [
				`it has tables of an engine that the server ${where} does not have, and would make of another one without a word: ${quoteAll(missing)}; install what has it before (\`install soname\`; \`show engines\`)`,
			];
}

/** Of a table that cannot be opened a dump fails: its engine is not installed, or its files are damaged. @throws {RunError} with what the server says of it: else that would be said when the moment is over */
export async function assertOpen({query, where}: Asked & Pick<MariadbServer, 'where'>, database: string): Promise<void> {
	// A server looks only where it is asked for a size.
	const rows = await query(
		`select table_name, table_comment from information_schema.tables where table_schema = ${quoteLiteral(database)} and table_type <> 'VIEW'
		and data_length is null and (engine is null or engine not in (select engine from information_schema.engines where support in ('YES', 'DEFAULT'))) order by 1`,
	);
	if (rows.length > 0) {
		throw new RunError(
			`the server ${where} cannot open tables of database ${quote(database)}, so no dump would be whole: ${quoteAll(rows.map(([table, why]) => `${table}: ${why}`))}`,
			{hint: 'repair each (`repair table`), install its engine (`install soname`), or drop it'},
		);
	}
}
