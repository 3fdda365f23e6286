import {scratchFolder} from '../../../docker/worker.ts';
import {parseSource} from '../../repository/names.ts';
import {databaseName} from '../database-name.ts';
import {assertRoom, type DrillContext, type Drilling, type DrillSource} from '../drilling.ts';
import {dumpToFile} from '../feed.ts';
import type {Restoring} from '../restoring.ts';
import {postgresDetails} from './dump.ts';
import type {PostgresPolicy} from './labels.ts';
import {postgresRestoring} from './restore.ts';
import {hasAlone, makeGlobals, scratchEnv, scratchUser, startScratchServer, withoutPrograms} from './scratch.ts';
import {connectPostgres} from './server.ts';
import {dropDatabase} from './swap.ts';

export function postgresDrilling(source: DrillSource<PostgresPolicy | undefined>, context: DrillContext, index: number): Drilling {
	const {stored, image, drillSql, policy} = source;
	const {restoreBeforeSql: beforeSql, restoreAfterSql: afterSql} = policy ?? {};
	const {signal, tell} = context;
	const database = parseSource(source.name).name;
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
		name: source.name,
		async rehearse() {
			const fresh = databaseName(database, 'restore', context.run);
			const name = serverName({image, details, fresh});
			const scratch = async () => startServer({image, details, fresh}, context);
			let isSound = false;
			const {worker, container} = await context.shared(name, scratch).catch((error: unknown) => {
				context.unshare(name);
				throw error;
			});
			// Which databases there are changes: who asks after that connects anew.
			const drop = async (which: string) =>
				dropDatabase(await connectPostgres(context.engine, container, scratchUser, {signal}), database, which);
			try {
				await assertRoom(worker.run, scratchFolder, details.databaseSize, signal);
				if (database === 'postgres') {
					// A new server has one of that name, whose properties are not those of the dumped one.
					await drop(database);
				}

				const planned = {name: source.name, container, kind: 'postgres', database, format: details.format, user: scratchUser} as const;
				const restoring = postgresRestoring({...planned, target: context.target, stored, beforeSql, afterSql, drillSql}, context, {index});
				await load(restoring);
				tell({type: 'step', step: 'check', subject: source.name});
				const found = await restoring.check();
				await drop(fresh);
				isSound = true;
				return found;
			} finally {
				if (!isSound || isAlone(details)) {
					context.unshare(name);
					// What cannot be removed now is tried again at the end of the run, which says so.
					await worker.dismiss().catch(() => {});
				}
			}
		},
	};
}

interface Wanted {
	image: string;
	details: ReturnType<typeof postgresDetails.parse>;
	/** The database that is rehearsed. */
	fresh: string;
}

/** Extensions that one database of a server has are made in a server of its own. */
const isAlone = ({preloaded}: Wanted['details']): boolean => hasAlone(preloaded);

/** Databases of one server are rehearsed in one. */
const serverName = ({image, details, fresh}: Wanted): string =>
	JSON.stringify(['postgres', image, majorOf(details), details.preloaded, details.globals, isAlone(details) ? fresh : '']);

const majorOf = ({serverVersionNumber}: Wanted['details']): number => Math.floor(serverVersionNumber / 10_000);

async function startServer({image, details, fresh}: Wanted, {scratch, engine, signal}: DrillContext) {
	const worker = await scratch(image, scratchEnv).catch((error: unknown) => {
		throw withoutPrograms(error, image);
	});
	try {
		const wanted = {image, major: majorOf(details), preloaded: details.preloaded, database: fresh, signal};
		const {container, owner} = await startScratchServer(engine, worker, wanted);
		const server = await connectPostgres(engine, container, scratchUser, {signal});
		await makeGlobals(worker, server, {globals: details.globals, owner, signal});
		return {worker, container};
	} catch (error) {
		await worker.dismiss().catch(() => {});
		throw error;
	}
}
