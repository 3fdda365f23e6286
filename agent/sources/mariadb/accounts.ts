/** The accounts that may do something in a database, or that its definitions name. */

import {explain} from '../../../base/errors.ts';
import type {Tell} from '../../../base/events.ts';
import {quoteIdentifier, quoteLiteral} from './client.ts';
import type {MariadbDetails} from './details.ts';
import type {MariadbServer} from './server.ts';

type Account = MariadbDetails['accounts'][number];

/** Those that every server has. */
const own = ['root', 'mysql', 'mariadb.sys', 'mysql.sys', 'mysql.session', 'mysql.infoschema', ''];

/** In `mysql.db` a name is a pattern. */
const accountsSql = (database: string) => `select distinct user, host from (
	select user, host from mysql.db where ${quoteLiteral(database)} like db
	union select user, host from mysql.tables_priv where db = ${quoteLiteral(database)}
	union select user, host from mysql.procs_priv where db = ${quoteLiteral(database)}
	union select substring_index(definer, '@', 1), substring_index(definer, '@', -1) from (
		select definer from information_schema.routines where routine_schema = ${quoteLiteral(database)}
		union select definer from information_schema.views where table_schema = ${quoteLiteral(database)}
		union select definer from information_schema.triggers where trigger_schema = ${quoteLiteral(database)}
		union select definer from information_schema.events where event_schema = ${quoteLiteral(database)}) definers) accounts
	where user not in (${own.map(quoteLiteral).join(', ')}) and host <> '' and exists (select 1 from mysql.user u where u.user = accounts.user and u.host = accounts.host)`;

/** `'…'@'…'`: a name is no expression, so no other quoting will do. */
export const accountName = (user: string, host: string): string =>
	[user, host].map(part => `'${part.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`).join('@');

/** What is granted to it, everybody has; it is made by its first grant: https://mariadb.com/kb/en/grant/#to-public */
const everybody = 'PUBLIC';

/** MariaDB's: they have no host. An account that has one cannot be made without it. */
async function readRoles({query}: Pick<MariadbServer, 'query'>, database: string): Promise<Account[]> {
	const rows = await query(
		`select distinct user from mysql.user where is_role = 'Y' and (user in (select role from mysql.roles_mapping) or user in (select user from mysql.db where ${quoteLiteral(database)} like db)) order by 1`,
	).catch(() => []);
	const roles: Account[] = [];
	for (const [name = ''] of rows) {
		const account = quoteIdentifier(name);
		const grants = (await query(`show grants for ${account}`)).flatMap(([sql]) => sql ?? []);
		roles.push(name === everybody ? {account: name, statements: grants} : {account, statements: [`create role ${account}`, ...grants]});
	}

	return roles;
}

/** MySQL's hashes have bytes that no statement may have as they are (https://dev.mysql.com/worklog/task/?id=12803); MariaDB takes it for a comment. */
const inHex = '/*!80017 set session print_identified_with_as_hex = 1 */';

/** Only an administrator may read them; nothing else fails for want of it. */
export async function readAccounts({query}: MariadbServer, database: string): Promise<Account[]> {
	try {
		const accounts = await readRoles({query}, database);
		for (const [user = '', host = ''] of await query(accountsSql(database))) {
			const account = accountName(user, host);
			const statements = [
				...(await query(`${inHex}; show create user ${account}`)),
				...(await query(`show grants for ${account}`)),
			].flatMap(([sql]) => sql ?? []);
			accounts.push({account, statements});
		}

		return accounts;
	} catch {
		return [];
	}
}

/** Makes those that are not there; changes none that are. */
export async function makeAccounts({query}: MariadbServer, accounts: readonly Account[], tell: Tell): Promise<void> {
	for (const {account, statements} of accounts) {
		// Of `PUBLIC` a server always says what it has: nothing, where there is none.
		const isThere = await query(`show grants for ${account}`).then(
			grants => grants.length > 0,
			() => false,
		);
		if (!isThere) {
			await makeAccount({query}, {account, statements}, tell);
		}
	}
}

/** A grant may be of what is not there: that takes nothing from the others. */
async function makeAccount(
	{query}: Pick<MariadbServer, 'query'>,
	{account, statements: [make = '', ...grants]}: Account,
	tell: Tell,
): Promise<void> {
	const failed = (error: unknown) =>
		tell({type: 'warning', message: `the account ${account} could not be made again whole: ${explain(error)}`});
	const isMade = await query(make).then(
		() => true,
		(error: unknown) => {
			failed(error);
			return false;
		},
	);
	for (const grant of isMade ? grants : []) {
		await query(grant).catch(failed);
	}

	if (isMade) {
		tell({type: 'warning', message: `made again, because the server lacks it: the account ${account}`});
	}
}
