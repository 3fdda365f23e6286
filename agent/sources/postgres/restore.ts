/**
 * A PostgreSQL database is loaded into a new one while the old one serves, and then takes its name. The old one is kept under another name,
 * closed to connections.
 */
import * as z from 'zod';
import {explain, RunError} from '../../../base/errors.ts';
import {databaseName} from '../database-name.ts';
import {type RestoreContext, type Restoring, type RestoringSource, replaced, type UndoContext} from '../restoring.ts';
import type {Among} from '../source.ts';
import {analyzeSql} from './analyze.ts';
import {describeContents, type PostgresContents} from './contents.ts';
import {postgresDetails} from './dump.ts';
import {afterLoad, beforeLoad} from './extensions.ts';
import {type InTheWay, inTheWaySql, renamingProblems} from './hazards.ts';
import {loadContent} from './load.ts';
import {giveToOwner} from './owner.ts';
import type {PlannedDatabase} from './plan.ts';
import {externalServer, insideServer} from './plan-external.ts';
import {doPostponed} from './postponed.ts';
import {assertTrue, countLoaded, listContents} from './proof.ts';
import {
	commentingSql,
	commentSql,
	createDatabaseSql,
	type DatabaseProperties,
	databaseProperties,
	describeSql,
	propertiesSql,
} from './properties.ts';
import {runSql} from './psql.ts';
import {reachServer} from './reach.ts';
import {missingRoles} from './roles.ts';
import {pathOf} from './search-path.ts';
import type {PostgresServer} from './server.ts';
import {quoteLiteral} from './sql.ts';
import {dropDatabase, openSql, stateOf, swapDatabases} from './swap.ts';
import {lackingTablespaces, outsideTablespaces} from './tablespaces.ts';
import {withoutEventTriggers} from './timeouts.ts';
import {otherWay, type Way} from './ways.ts';

type PostgresSource = RestoringSource<PlannedDatabase>;

export const replacedDatabase = replaced.extend({
	kind: z.literal('postgres'),
	database: z.string(),
	fresh: z.string(),
	/** That of `fresh`, under whichever name, once it was made. */
	oid: z.string().nullable(),
	/** Null where there was no database of that name. */
	old: z.string().nullable(),
	user: z.string().optional(),
	/** Where the server is, if not in the container. */
	external: externalServer.optional(),
	/** What labels say of the server in the container. */
	inside: insideServer.optional(),
});

export type ReplacedDatabase = z.infer<typeof replacedDatabase>;

export function postgresRestoring(
	source: PostgresSource,
	context: RestoreContext,
	{index}: Pick<Among, 'index'>,
): Restoring & Required<Pick<Restoring, 'check'>> {
	const {name, database, user, external, inside, stored, into, drillSql} = source;
	const {signal, run, tell} = context;
	const details = postgresDetails.parse(stored.details);
	const live = into ?? database;
	const fresh = databaseName(live, 'restore', run);
	const further = {...(external && {external}), ...(inside && {inside}), ...(into === undefined ? {} : {beside: true})};
	let server: PostgresServer;
	let contents: PostgresContents = {};
	let replacement: ReplacedDatabase = {kind: 'postgres', source: name, database: live, fresh, oid: null, old: null, user, ...further};

	const sql = async (where: string, ...statements: string[]) => runSql(server, {database: where, statements, signal});
	/** Where nobody is let in: as it was. */
	const commentOf = async (present: string): Promise<string | null | undefined> => {
		const said = await sql(present, commentSql(`datname = ${quoteLiteral(present)}`)).catch(() => undefined);
		signal.throwIfAborted();
		return said === undefined
			? databaseProperties.parse(stored.details).comment
			: said.trim() === ''
				? null
				: (JSON.parse(said) as string | null);
	};

	const ownSql = async (statement: string | undefined) => {
		if (statement !== undefined) {
			const variables = {old_name: details.database, new_name: live};
			await runSql(server, {database: fresh, statements: [statement], variables, signal});
		}
	};

	return {
		name,
		async load() {
			server = await reachServer(context, source);
			const maintenance = await server.maintenance(live);
			const say = (message: string) => tell({type: 'warning', message});
			await makeRoles(server, {database: maintenance, globals: details.globals, say, signal});
			const present = await sql(maintenance, describeSql(`datname = ${quoteLiteral(database)}`));
			const wanted: DatabaseProperties =
				present === ''
					? databaseProperties.parse(stored.details)
					: {...databaseProperties.parse(JSON.parse(present)), comment: await commentOf(database)};
			const lacking = await lackingTablespaces(server, details.globals);
			const properties = outsideTablespaces(wanted, lacking);
			if (lacking.length > 0) {
				say(`\`${name}\`: the server lacks the tablespace ${lacking.join(', ')}: what was in it goes into the default one`);
			}

			replacement = {...replacement, old: present === '' || into !== undefined ? null : databaseName(database, 'before', run)};
			context.remember(replacement);
			const fill = async (way: Way): Promise<PostgresContents> => {
				await sql(maintenance, createDatabaseSql(fresh, properties));
				replacement = {...replacement, oid: (await stateOf(server, live, fresh)).oid};
				context.remember(replacement);
				await ownSql(source.beforeSql);
				await sql(fresh, ...beforeLoad(details.extensions));
				const file = `${context.staging}/restore-${index}${Object.keys(way)
					.map(word => `-${word}`)
					.join('')}`;
				const [listed, postponed] = await together(
					listContents(context, server, {stored, details}),
					loadContent(context, server, {source, fresh, details, file, noTablespaces: lacking.length > 0, ...way}),
				);
				const searchPaths = [way.searchPath ?? pathOf(properties, details.globals)];
				const tolerate = (what: string) => context.tolerate({source: name, what, count: 1});
				await doPostponed(server, {database: fresh, postponed, searchPaths, tolerate, signal});
				return listed;
			};

			let way: Way = {};
			let listed: PostgresContents | undefined;
			while (listed === undefined) {
				const tried: Way = way;
				listed = await fill(tried).catch(async (error: unknown) => {
					signal.throwIfAborted();
					// Who cannot be asked any more knows no other way, and the error is that of the load.
					const other = await otherWay(tried, {server, database: live, fresh, details, properties, message: explain(error)}).catch(
						() => undefined,
					);
					if (other === undefined) {
						throw error;
					}

					tell({type: 'warning', message: `\`${name}\` ${other.why} (${explain(error)}): it is loaded again, ${other.how}`});
					await dropDatabase(server, live, fresh);
					way = other.way;
					return undefined;
				});
			}

			const path = way.searchPath;
			contents = await countLoaded(server, {fresh, details}, listed);
			await sql(fresh, ...afterLoad(details.extensions));
			await sql(
				fresh,
				...(details.portable && properties.owner !== server.user ? [withoutEventTriggers, ...giveToOwner(properties.owner)] : []),
			);
			await ownSql(source.afterSql);
			// It computes what indexes are made of.
			await sql(
				fresh,
				...(path === undefined ? [] : [`select set_config('search_path', ${quoteLiteral(path)}, false)`]),
				await analyzeSql(server, fresh),
			);
			await sql(fresh, ...commentingSql(fresh, properties));
			await sql(maintenance, ...propertiesSql(fresh, properties));
		},
		async check() {
			const [[version = ''] = []] = await server.query(fresh, 'show server_version');
			const found = [`loaded by PostgreSQL ${version}`, describeContents(contents)];
			if (drillSql === undefined) {
				return found;
			}

			await assertTrue(server, fresh, drillSql, signal);
			return [...found, 'the query of the label says true'];
		},
		async keep() {},
		async swap() {
			await swapDatabases(server, {live, next: fresh, aside: replacement.old});
		},
		async close() {},
	};
}

/** Both have ended when it returns, also where one of them failed. @throws what the second did, or the first */
async function together<First, Second>(first: Promise<First>, second: Promise<Second>): Promise<[First, Second]> {
	await Promise.allSettled([first, second]);
	const after = await second;
	return [await first, after];
}

interface Roles {
	/** Any that lets the role in. */
	database: string;
	/** What `pg_dumpall --globals-only` said when the point was made. */
	globals: string;
	say: (message: string) => void;
	signal: AbortSignal;
}

/** Those that the point speaks of and the server lacks. */
async function makeRoles(server: PostgresServer, {database, globals, say, signal}: Roles): Promise<void> {
	const existing = await server.query(database, 'select to_json(rolname) from pg_roles');
	const statements = missingRoles(globals, new Set(existing.map(([role = '""']) => JSON.parse(role) as string)));
	if (statements.length > 0) {
		await runSql(server, {database, statements, signal});
		say(`made again, because the server lacks them: ${statements.filter(statement => statement.startsWith('CREATE')).join('; ')}`);
	}
}

/** What stands in the way of taking the restored database away, and its name from it. */
export async function obstaclesTo(
	{source, database, user, external, inside}: ReplacedDatabase,
	{engine, container, signal}: Pick<UndoContext, 'engine' | 'container' | 'signal'>,
): Promise<string[]> {
	const server = await reachServer({engine, signal}, {container: container(source), user, external, inside});
	const [[answer = '{}'] = []] = await server.query(await server.maintenance(database), `select ${inTheWaySql(database)}`);
	return renamingProblems(JSON.parse(answer) as InTheWay, {database, role: server.user});
}

/** Wherever the restore stopped: before the swap, in it, or after it. */
export async function rollBackDatabase(
	{source, database, fresh, oid, old, user, external, inside}: ReplacedDatabase,
	{engine, container, signal}: UndoContext,
): Promise<void> {
	const server = await reachServer({engine, signal}, {container: container(source), user, external, inside});
	const [live, aside] = await Promise.all([database, old ?? ''].map(async name => stateOf(server, database, name)));
	if (aside?.exists) {
		await swapDatabases(
			server,
			live?.exists ? {live: database, next: old as string, aside: fresh} : {live: database, next: old as string, aside: null},
		);
	} else if (old === null && live?.exists && live.oid === oid) {
		// There was none before; what is there now is what was restored.
		await dropDatabase(server, database, database);
	} else if (live?.exists && !live.allowsConnections) {
		await runSql(server, {database: await server.maintenance(database), statements: [openSql(database)]});
	}

	await dropDatabase(server, database, fresh);
}

export async function dropReplacedDatabase(
	{source, database, fresh, old, user, external, inside}: ReplacedDatabase,
	{engine, container, signal, isHalf = false}: UndoContext,
): Promise<void> {
	if (old === null && !isHalf) {
		return;
	}

	const server = await reachServer({engine, signal}, {container: container(source), user, external, inside});
	if (isHalf) {
		const live = await stateOf(server, database, database);
		if (old !== null && !live.exists) {
			throw new RunError(`there is no database \`${database}\`, and \`${old}\` is all that is left of it`);
		}

		if (live.exists && !live.allowsConnections) {
			await runSql(server, {database: await server.maintenance(database), statements: [openSql(database)]});
		}

		await dropDatabase(server, database, fresh);
	}

	if (old !== null) {
		await dropDatabase(server, database, old);
	}
}
