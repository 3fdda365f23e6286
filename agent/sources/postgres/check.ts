/** Whether a server can take a database of a point: all that is wrong, before anything is touched. */

import {succeed} from '../../../base/command.ts';
import {explain} from '../../../base/errors.ts';
import type {Engine} from '../../../docker/engine.ts';
import type {Restic} from '../../restic/restic.ts';
import type {RestoringSource} from '../restoring.ts';
import {freeRoom, type ServerRoom} from '../room.ts';
import {archiveProblem, createArchiveReader} from './archive.ts';
import {postgresDetails} from './dump.ts';
import {type Available, extensionProblems, privilegeProblems} from './extensions.ts';
import {assertClientFits} from './external.ts';
import {aloneProblems, aloneSettingsSql, type InTheWay, inTheWaySql, renamingProblems} from './hazards.ts';
import type {PlannedDatabase} from './plan.ts';
import {reachServer} from './reach.ts';
import {missingRoles, nameOfCreated} from './roles.ts';
import type {PostgresServer} from './server.ts';
import {quoteLiteral} from './sql.ts';

type PostgresSource = RestoringSource<PlannedDatabase>;
type Details = ReturnType<typeof postgresDetails.parse>;

interface CheckContext {
	engine: Engine;
	/** On the repository that has the point. */
	restic: Restic;
}

const archiveVersion = createArchiveReader();

interface Found {
	version: number;
	/** It follows another server. */
	isStandby: boolean;
	versionText: string;
	superuser: boolean;
	createdb: boolean;
	createrole: boolean;
	/** Null where there is no such role yet. */
	mayOwn: boolean | null;
	owner: string;
	inTheWay: InTheWay;
	/** What the settings that name one database say. */
	alone: Record<string, string | null>;
	/** There is a database of the name that the restored one is to get beside the others. */
	taken: boolean;
	roles: string[];
	extensions: Available[];
}

/** Nothing is changed. */
export async function checkPostgres(source: PostgresSource, context: CheckContext): Promise<{problems: string[]; room?: ServerRoom}> {
	const {container, database, stored, into} = source;
	try {
		const details = postgresDetails.parse(stored.details);
		const server = await reachServer(context, source);
		await assertClientFits(server);
		const sql = checkSql({database, owner: details.owner, into});
		const [[answer = '{}'] = []] = await (into === undefined
			? server.query(await server.maintenance(database), sql)
			: server.anywhere(sql));
		const found = JSON.parse(answer) as Found;
		const problems = [
			...(found.isStandby ? [`the server ${server.where} is a standby, which only follows another: restore into that one`] : []),
			...(await versionProblems(found, {source, details, server, context})),
			...roleProblems(found, server.user, details),
			...databaseProblems(found, source, server.user),
			...(found.superuser
				? []
				: details.superuserOnly.map(what => `only a superuser may make ${what}, and role \`${server.user}\` is none`)),
			...aloneProblems(details.extensions, found.alone, into),
			...extensionProblems(
				details.extensions,
				found.extensions.map(({name, version}) => `${name} ${version}`),
			),
			...(found.superuser ? [] : privilegeProblems(details.extensions, found.extensions, {role: server.user, server: found.version})),
		];
		const room = await roomOf(server);
		return {problems, ...(room && {room: {container: container.name, neededBytes: details.databaseSize, ...room}})};
	} catch (error) {
		return {problems: [explain(error)]};
	}
}

const major = (versionNumber: number) => Math.floor(versionNumber / 10_000);

interface Asked {
	source: PostgresSource;
	details: Details;
	server: PostgresServer;
	context: CheckContext;
}

async function versionProblems({version, versionText}: Found, {source, details, server, context}: Asked): Promise<string[]> {
	const problems: string[] = [];
	if (major(version) < major(details.serverVersionNumber)) {
		problems.push(`it was dumped by PostgreSQL ${details.serverVersion}, and the server ${server.where} is older: ${versionText}`);
	}

	if (details.format === 'custom') {
		const tool = await succeed(server.client, {argv: ['pg_restore', '--version']});
		problems.push(...[archiveProblem(await archiveVersion(context.restic, source.stored), tool)].filter(problem => problem !== undefined));
	}

	return problems;
}

/** Who owns a database may create in it, so no more is asked of a role from PostgreSQL 13 on. */
function roleProblems({superuser, createdb, createrole, mayOwn, owner, roles}: Found, role: string, {globals}: Details): string[] {
	if (superuser) {
		return [];
	}

	const missing = missingRoles(globals, new Set(roles)).flatMap(statement => nameOfCreated(statement) ?? []);
	return [
		...(createdb ? [] : [`role \`${role}\` may not create databases (\`alter role … createdb\`)`]),
		...(mayOwn === false ? [`role \`${role}\` may not give a database to \`${owner}\`, which owns it (\`grant … to …\`)`] : []),
		...(createrole || missing.length === 0
			? []
			: [`the server lacks the roles ${missing.join(', ')}, and role \`${role}\` may not create roles (\`alter role … createrole\`)`]),
	];
}

function databaseProblems({inTheWay, taken}: Found, {database, into}: PostgresSource, role: string): string[] {
	return [
		...(taken ? [`there is a database \`${into}\` already: choose another name, or drop it`] : []),
		...(into === undefined ? renamingProblems(inTheWay, {database, role}) : []),
	];
}

/** Undefined where it cannot be known: the container has no `df`, or the server is elsewhere. */
async function roomOf(server: PostgresServer): Promise<Pick<ServerRoom, 'folder' | 'freeBytes'> | undefined> {
	if (server.isExternal) {
		return undefined;
	}

	const folder = await server.dataFolder();
	const [freeBytes] = await freeRoom(server.client, [folder]).catch(() => []);
	return freeBytes === undefined ? undefined : {folder, freeBytes};
}

interface Question {
	database: string;
	/** Where the database is gone. */
	owner: string;
	into: string | undefined;
}

const checkSql = ({database, owner, into}: Question) => `select json_build_object('version', current_setting('server_version_num')::int,
	'versionText', current_setting('server_version'), 'isStandby', pg_is_in_recovery(), 'superuser', rolsuper, 'createdb', rolcreatedb, 'createrole', rolcreaterole,
	'owner', owner, 'mayOwn', (select pg_has_role(me.oid, o.oid, 'member') from pg_roles o where o.rolname = owner),
	'inTheWay', ${inTheWaySql(database)}, 'alone', ${aloneSettingsSql},
	'taken', exists (select from pg_database where datname = ${into === undefined ? 'null' : quoteLiteral(into)}),
	'roles', (select json_agg(rolname) from pg_roles),
	'extensions', (select coalesce(json_agg(json_build_object('name', name, 'version', version,
		'superuser', superuser, 'trusted', coalesce((to_jsonb(e)->>'trusted')::boolean, false))), '[]') from pg_available_extension_versions e))
	from pg_roles me, (select coalesce((select pg_get_userbyid(datdba)::text from pg_database where datname = ${quoteLiteral(database)}),
		${quoteLiteral(owner)}) as owner) of
	where me.rolname = current_user`;
