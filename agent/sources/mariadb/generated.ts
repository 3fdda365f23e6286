/** A server elsewhere is dumped by MariaDB's program, also where it is MySQL: that one writes what generated columns have, and MySQL takes no value for them. */
import {quoteLiteral} from './client.ts';
import type {MariadbServer} from './server.ts';

/** Tables whose rows could not be loaded again. */
export const generatedTables = async (
	{flavour, isExternal, query}: Pick<MariadbServer, 'flavour' | 'isExternal' | 'query'>,
	database: string,
): Promise<string[]> =>
	flavour === 'mysql' && isExternal
		? (
				await query(
					`select distinct table_name from information_schema.columns where table_schema = ${quoteLiteral(database)} and extra like '% GENERATED%' order by 1`,
				)
			).flatMap(([table]) => table ?? [])
		: [];
