import type {Container} from '../../docker/container.ts';
import {scratchFolder} from '../../docker/worker.ts';
import {RunError} from '../errors.ts';
import {assertRoom, type DrillContext, type Drilling, type DrillSource} from './drilling.ts';
import {dumpToFile} from './feed.ts';
import {parseSource} from './names.ts';
import {postgresDetails} from './postgres.ts';
import {eachEntry} from './postgres-archive.ts';
import {contentsSql, createTally, describeContents, missingContents, type PostgresContents, postgresContents} from './postgres-contents.ts';
import {databaseName, postgresRestoring} from './postgres-restore.ts';
import {makeGlobals, scratchEnv, scratchUser, startScratchServer} from './postgres-scratch.ts';
import {connectPostgres, type PostgresServer} from './postgres-server.ts';
import {dropDatabase} from './postgres-swap.ts';
import {runSql} from './psql.ts';

/** A question that takes longer is no question for a drill. */
const answerWithinSeconds = 600;

export function postgresDrilling(source: DrillSource, context: DrillContext, index: number): Drilling {
	const {name, stored, image, drillSql, beforeSql, afterSql} = source;
	const {engine, signal, run, tell} = context;
	const database = parseSource(name).name;
	const details = postgresDetails.parse(stored.details);
	const fresh = databaseName(database, 'restore', run);

	const load = async (container: Container): Promise<void> => {
		const {format} = details;
		const planned = {name, container, kind: 'postgres', database, format, user: scratchUser} as const;
		const restoring = postgresRestoring({...planned, target: context.target, stored, beforeSql, afterSql}, context, index);
		try {
			await restoring.load();
		} catch (error) {
			signal.throwIfAborted();
			// What the repository no longer holds whole fails the loading in odd words: its own are better.
			await dumpToFile(context, {snapshot: stored.snapshot, path: stored.path, file: '/dev/null'});
			throw error;
		} finally {
			await restoring.close();
		}
	};

	const check = async (server: PostgresServer): Promise<string[]> => {
		const found = postgresContents.parse(JSON.parse((await server.query(fresh, contentsSql))[0]?.[0] ?? '{}'));
		const listed = details.format === 'custom' ? await listContents(context, server, source) : {};
		const missing = [
			...missingContents(listed, found, "the dump's table of contents names"),
			...missingContents(details.contents ?? {}, found, 'the database had'),
		];
		if (missing.length > 0) {
			throw new RunError(missing.join('; '));
		}

		const [[version = ''] = []] = await server.query(fresh, 'show server_version');
		const checks = [`loaded by PostgreSQL ${version}`, describeContents(found)];
		if (drillSql !== undefined) {
			await assertTrue(server, fresh, drillSql, signal);
			checks.push('the query of the label says true');
		}

		return checks;
	};

	return {
		name,
		async rehearse() {
			const worker = await context.scratch(image, scratchEnv);
			try {
				await assertRoom(worker.run, scratchFolder, details.databaseSize, signal);
				const major = Math.floor(details.serverVersionNumber / 10_000);
				const container = await startScratchServer(worker, {image, major, preloaded: details.preloaded, signal});
				const server = await connectPostgres(engine, container, scratchUser, signal);
				await makeGlobals(worker, server, details.globals, signal);
				if (database === 'postgres') {
					// A new server has one of that name, whose properties are not those of the dumped one.
					await dropDatabase(server, database, database);
				}

				await load(container);
				tell({type: 'step', step: 'check', subject: name});
				return await check(server);
			} finally {
				// What cannot be removed now is tried again at the end of the run, which says so.
				await worker.dismiss().catch(() => {});
			}
		},
	};
}

/** Only the beginning of the dump is read. */
async function listContents(
	{restic, signal}: DrillContext,
	{client}: PostgresServer,
	{stored, name}: DrillSource,
): Promise<PostgresContents> {
	const tally = createTally();
	await eachEntry({restic, client, stored, signal}, tally.add).catch((error: unknown) => {
		throw new RunError(`the dump of \`${name}\` cannot be read`, {cause: error});
	});
	return tally.contents();
}

async function assertTrue(server: PostgresServer, database: string, sql: string, signal: AbortSignal): Promise<void> {
	const statements = [`set statement_timeout = '${answerWithinSeconds}s'`, sql.replace(/[\s;]+$/, '')];
	const said = await runSql(server, {database, statements, signal}).catch((error: unknown) => {
		throw new RunError('the query of `holdfast.drill.sql` failed', {cause: error});
	});
	if (said.trim() !== 't') {
		throw new RunError(`the query of \`holdfast.drill.sql\` must return true, got \`${said.trim().slice(0, 200)}\``);
	}
}
