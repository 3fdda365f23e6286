/** What an account may not do, of what a dump fails for want of. It is tried, because what a role or a pattern of names gives is listed nowhere in one place. */
import {accountName} from './accounts.ts';
import {quoteIdentifier, quoteLiteral, ServerRefusal} from './client.ts';
import type {MariadbServer} from './server.ts';

type Asked = Pick<MariadbServer, 'query'>;

export interface Lacking {
	privileges: string[];
	/** Gives them to the account. */
	grant: string;
}

/** For people. */
export const describeLacking = (user: string, {privileges}: Lacking): string =>
	`\`${user}\` may not dump it: that takes ${privileges.join(' and ')}`;

/** https://mariadb.com/kb/en/mariadb-error-code-reference/ */
const denied = [1044, 1142, 1143, 1227, 1370];

interface Trial {
	database: string;
	privilege: string;
	sql: string;
}

async function trialsOf({query}: Asked, databases: readonly string[]): Promise<Trial[]> {
	if (databases.length === 0) {
		return [];
	}

	const views = await query(
		`select table_schema, min(table_name) from information_schema.views where table_schema in (${databases.map(quoteLiteral).join(', ')}) group by 1`,
	);
	return [
		...databases.map(database => ({
			database,
			privilege: 'EVENT',
			sql: `show events from ${quoteIdentifier(database)} like ''`,
		})),
		...views.map(([database = '', view = '']) => ({
			database,
			privilege: 'SHOW VIEW',
			sql: `show create view ${quoteIdentifier(database)}.${quoteIdentifier(view)}`,
		})),
	];
}

const isRefused = async ({query}: Asked, sql: string): Promise<boolean> =>
	query(sql).then(
		() => false,
		(error: unknown) => error instanceof ServerRefusal && denied.includes(error.code),
	);

/** By database; none of one that can be dumped. What else goes wrong is not known here. */
export async function lackingOf(server: Asked, databases: readonly string[]): Promise<Map<string, Lacking>> {
	const trials = await trialsOf(server, databases);
	const lacking = new Map<string, Lacking>();
	// Mostly nothing is refused: one question for all.
	if (trials.length === 0 || !(await isRefused(server, trials.map(({sql}) => sql).join('; ')))) {
		return lacking;
	}

	const [[account = ''] = []] = await server.query('select current_user()');
	const at = account.lastIndexOf('@');
	for (const {database, privilege, sql} of trials) {
		if (await isRefused(server, sql)) {
			const privileges = [...(lacking.get(database)?.privileges ?? []), privilege];
			const grant = `grant ${privileges.join(', ')} on ${quoteIdentifier(database)}.* to ${accountName(account.slice(0, at), account.slice(at + 1))}`;
			lacking.set(database, {privileges, grant});
		}
	}

	return lacking;
}
