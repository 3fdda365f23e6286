/** Whether a server can take a database of a point: all that is wrong, before anything is touched. */
import {explain} from '../../../base/errors.ts';
import {quoteAll} from '../../../base/reading/quote.ts';
import type {Engine} from '../../../docker/engine.ts';
import type {RestoringSource} from '../restoring.ts';
import {freeRoom, type ServerRoom} from '../room.ts';
import {quoteLiteral} from './client.ts';
import {type MariadbDetails, mariadbDetails} from './details.ts';
import {isAtLeast} from './dump.ts';
import {encryptionProblems} from './encryption.ts';
import {engineProblems} from './engines.ts';
import type {PlannedSchema} from './plan.ts';
import {replicaProblems} from './replicas.ts';
import {unknownZones} from './schedule.ts';
import {connectMariadb, type MariadbServer, serverFolders} from './server.ts';
import {databaseExists} from './swap.ts';

/** Nothing is changed. */
export async function checkMariadb(
	{container, access, database, stored, into}: RestoringSource<PlannedSchema>,
	{engine}: {engine: Engine},
): Promise<{problems: string[]; room?: ServerRoom}> {
	try {
		const details = mariadbDetails.parse(stored.details);
		const server = await connectMariadb({engine}, container, access);
		const [lacking, names, closed, zones, keyless, engineless, followed, logged, others, [folder = '']] = await Promise.all([
			privilegeProblems(server),
			namesProblems(details, server),
			readOnlyProblems(server),
			zoneProblems(details, server),
			encryptionProblems(details.encryption, server),
			engineProblems(details.engines, server),
			into === undefined ? replicaProblems(server, database) : [],
			server.query('select @@log_bin'),
			into === undefined ? foreignProblems(server, database) : takenProblems(server, into),
			serverFolders(server),
		]);
		const problems = [
			...versionProblems(details, server),
			...lacking,
			...names,
			...closed,
			...zones,
			...keyless,
			...engineless,
			...followed,
			...others,
		];
		const [freeBytes] = server.isExternal ? [] : await freeRoom(server.other, [folder]).catch(() => []);
		// A binary log has all that is loaded once more.
		const neededBytes = Math.max(details.databaseSize, details.parts.all) + (logged[0]?.[0] === '1' ? details.parts.all : 0);
		return {problems, ...(freeBytes === undefined ? {} : {room: {container: container.name, folder, neededBytes, freeBytes}})};
	} catch (error) {
		return {problems: [explain(error)]};
	}
}

const software = {mariadb: 'MariaDB', mysql: 'MySQL'};

/** A server reads what an older one of its kind wrote, and no other. */
export function versionProblems(
	{flavour, version}: Pick<MariadbDetails, 'flavour' | 'version'>,
	server: Pick<MariadbServer, 'flavour' | 'version' | 'where'>,
): string[] {
	const dumped = `it was dumped by ${software[flavour]} ${version}`;
	if (server.flavour !== flavour) {
		return [
			`${dumped}, and the server ${server.where} is ${software[server.flavour]} ${server.version}: neither reads all that the other writes`,
		];
	}

	const [, major = 0, minor = 0] = (/^(\d+)\.(\d+)/.exec(version) ?? []).map(Number);
	return isAtLeast(server.version, major, minor) ? [] : [`${dumped}, and the server ${server.where} is older: ${server.version}`];
}

/** What it takes to make a database beside the live one, and to put its tables in the place of others. */
const needed = [
	'SELECT',
	'INSERT',
	'CREATE',
	'DROP',
	'ALTER',
	'INDEX',
	'REFERENCES',
	'LOCK TABLES',
	'CREATE VIEW',
	'SHOW VIEW',
	'CREATE ROUTINE',
	'ALTER ROUTINE',
	'TRIGGER',
	'EVENT',
];

async function privilegeProblems({query, user}: MariadbServer): Promise<string[]> {
	// An account that has none at all has one row, USAGE.
	const rows = await query(
		"select privilege_type from information_schema.user_privileges where grantee = concat('''', replace(current_user(), '@', '''@'''), '''')",
	);
	const has = new Set(rows.map(([privilege]) => privilege));
	const missing = needed.filter(privilege => !has.has(privilege));
	return missing.length === 0
		? []
		: [`\`${user}\` may not make databases, and swap their tables: it lacks ${missing.join(', ')} on *.* (\`grant … on *.* to …\`)`];
}

async function namesProblems({lowerCase}: MariadbDetails, {query, where}: MariadbServer): Promise<string[]> {
	const [[own] = []] = await query('select @@lower_case_table_names');
	return Number(own) === lowerCase
		? []
		: [
				`it was dumped where \`lower_case_table_names\` is ${lowerCase}, and the server ${where} has ${own}: names would not be found again`,
			];
}

/** Whoever may write all the same would part a replica from what it follows. */
export async function readOnlyProblems({query, where}: Pick<MariadbServer, 'query' | 'where'>): Promise<string[]> {
	const [[setting = '0'] = []] = await query('select @@global.read_only');
	return ['0', 'OFF'].includes(setting)
		? []
		: [
				`the server ${where} is read-only (\`read_only\`), as replicas are: restore into the one that it follows; if it follows none, \`set global read_only = 0\``,
			];
}

/** Their events would be refused when all the rest is in its place. */
export async function zoneProblems({schedule}: Pick<MariadbDetails, 'schedule'>, {query, where}: Pick<MariadbServer, 'query' | 'where'>) {
	const unknown = await unknownZones({query}, schedule.timeZones);
	return unknown.length === 0
		? []
		: [
				`its events are timed in ${quoteAll(unknown)}, which the server ${where} does not know: load its tables of time zones (\`mariadb-tzinfo-to-sql /usr/share/zoneinfo | mariadb mysql\`)`,
			];
}

/** A foreign key of another database would go on to name the old table, wherever that is. */
async function foreignProblems({query}: MariadbServer, database: string): Promise<string[]> {
	const schema = quoteLiteral(database);
	const rows = await query(
		`select constraint_schema, table_name from information_schema.referential_constraints where unique_constraint_schema = ${schema} and constraint_schema <> ${schema}`,
	);
	return rows.map(
		([other, table]) =>
			`the table \`${table}\` of database \`${other}\` refers to its tables by a foreign key: drop that before, and make it again`,
	);
}

const takenProblems = async (server: MariadbServer, into: string): Promise<string[]> =>
	(await databaseExists(server, into)) ? [`there is a database \`${into}\` already: choose another name, or drop it`] : [];
