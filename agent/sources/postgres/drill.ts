import {scratchFolder} from '../../../docker/worker.ts';
import {parseSource} from '../../repository/names.ts';
import {databaseName} from '../database-name.ts';
import {assertRoom, type DrillContext, type Drilling, type DrillSource} from '../drilling.ts';
import {dumpToFile} from '../feed.ts';
import type {Restoring} from '../restoring.ts';
import {postgresDetails} from './dump.ts';
import type {PostgresPolicy} from './labels.ts';
import {postgresRestoring} from './restore.ts';
import {makeGlobals, scratchEnv, scratchUser, startScratchServer, withoutPrograms} from './scratch.ts';
import {connectPostgres} from './server.ts';
import {dropDatabase} from './swap.ts';

export function postgresDrilling(source: DrillSource<PostgresPolicy | undefined>, context: DrillContext, index: number): Drilling {
	const {name, stored, image, drillSql, policy} = source;
	const {restoreBeforeSql: beforeSql, restoreAfterSql: afterSql} = policy ?? {};
	const {engine, signal, tell} = context;
	const database = parseSource(name).name;
	const details = postgresDetails.parse(stored.details);

	const load = async (restoring: Restoring): Promise<void> => {
		try {
			await restoring.load();
		} catch (error) {
			signal.throwIfAborted();
			// What the repository no longer holds whole fails the loading in odd words: its own are better.
			await dumpToFile(context, {snapshot: stored.snapshot, path: stored.path, file: '/dev/null'});
			throw error;
		}
	};

	return {
		name,
		async rehearse() {
			const worker = await context.scratch(image, scratchEnv).catch((error: unknown) => {
				throw withoutPrograms(error, image);
			});
			try {
				await assertRoom(worker.run, scratchFolder, details.databaseSize, signal);
				const major = Math.floor(details.serverVersionNumber / 10_000);
				const fresh = databaseName(database, 'restore', context.run);
				const wanted = {image, major, preloaded: details.preloaded, database: fresh, signal};
				const {container, owner} = await startScratchServer(engine, worker, wanted);
				const server = await connectPostgres(engine, container, scratchUser, signal);
				await makeGlobals(worker, server, {globals: details.globals, owner, signal});
				if (database === 'postgres') {
					// A new server has one of that name, whose properties are not those of the dumped one.
					await dropDatabase(server, database, database);
				}

				const planned = {name, container, kind: 'postgres', database, format: details.format, user: scratchUser} as const;
				const restoring = postgresRestoring({...planned, target: context.target, stored, beforeSql, afterSql, drillSql}, context, {index});
				await load(restoring);
				tell({type: 'step', step: 'check', subject: name});
				return await restoring.check();
			} finally {
				// What cannot be removed now is tried again at the end of the run, which says so.
				await worker.dismiss().catch(() => {});
			}
		},
	};
}
