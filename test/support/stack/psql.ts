/** psql in a service of a stack, as its superuser, over the network that needs no password there. */
import type {Stack} from '../stack.ts';

/** @param database any name: psql would take one with a `=` for settings */
export const psql = async (stack: Pick<Stack, 'exec'>, service: string, database: string, sql: string): Promise<string> =>
	stack.exec(
		service,
		...['psql', '-h', '127.0.0.1', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres'],
		...['-d', `dbname='${database.replaceAll(/[\\']/g, '\\$&')}'`, '-c', sql],
	);
