/** The content of a dump is loaded into a new, empty database, by the programs of the server's own container. */
import {createInterface} from 'node:readline';
import {pipeline} from 'node:stream/promises';
import {lastLines, type Running} from '../command.ts';
import {RunError} from '../errors.ts';
import {consumerScript, feed} from './feed.ts';
import {enterableWorker, type postgresDetails} from './postgres.ts';
import type {PostgresServer} from './postgres-server.ts';
import {createComplaints} from './postgres-tolerated.ts';
import {bothEnds} from './relay.ts';
import type {RestoreContext, RestoringSource} from './restoring.ts';

type PostgresSource = RestoringSource & {kind: 'postgres'};

interface Content {
	source: PostgresSource;
	fresh: string;
	details: ReturnType<typeof postgresDetails.parse>;
	fifo: string;
}

/** `sh -c SCRIPT sh PROGRAM …`: what it complains of comes as its output, which is read as it comes. */
const complaining = 'exec "$@" 2>&1';

/**
 * The container's own program reads it, in the dump worker or, where there can be none, through docker exec.
 *
 * Not with `--jobs`, although that is faster (467 MB in 4 tables with 12 indexes, on 2 busy cores: 18 s with 2 jobs, the copy on disk that it needs
 * included, against 25 s): its workers are children, and where they lose their parent, by a cancel or a kill, they belong to the first process
 * of the database's container. PostgreSQL takes their death for the crash of a session, and ends all others.
 */
export async function loadContent(context: RestoreContext, server: PostgresServer, {source, fresh, details, fifo}: Content): Promise<void> {
	const {container, database, stored} = source;
	const isCustom = details.format === 'custom';
	const program = isCustom
		? (['pg_restore', ...(details.portable ? ['--no-owner', '--no-privileges'] : []), ...server.connection(fresh)] as const)
		: (['psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', ...server.connection(fresh), '-f', '-'] as const);
	const argv = isCustom ? (['/bin/sh', '-c', complaining, 'sh', ...program] as const) : program;
	// What it complains of is read in English.
	const env: Record<string, string> = isCustom ? {LC_ALL: 'C'} : {};
	const check = async (running: Running) => {
		try {
			await (isCustom ? assertTolerable(running, {source: source.name, extensions: details.extensions, context}) : assertDone(running));
		} catch (error) {
			throw new RunError(`${program[0]} of \`${database}\` failed`, {cause: error});
		}
	};

	const worker = await enterableWorker(context, server, container, context.signal);
	if (worker === undefined) {
		const started = Promise.withResolvers<Running>();
		await bothEnds(context.signal, {
			async write(signal) {
				const dumping = await context.restic.dump(stored.snapshot, stored.path, signal);
				await pipeline(dumping.stdout, (await started.promise).stdin, {signal});
				await dumping.done;
			},
			async read(signal) {
				const reading = server.client({argv, env, stdin: true, signal});
				reading.then(started.resolve, started.reject);
				await check(await reading);
			},
		});
	} else {
		const inside = server.fromWorker(consumerScript, [fifo], argv);
		await feed(context, {
			snapshot: stored.snapshot,
			path: stored.path,
			fifo,
			consume: async signal => check(await worker({...inside, env: {...inside.env, ...env}, signal})),
		});
	}
}

async function assertDone(running: Running): Promise<void> {
	running.stdout.resume();
	const {exitCode, stderr} = await running.done;
	if (exitCode !== 0) {
		throw new RunError(`exit code ${exitCode}: ${lastLines(stderr)}`);
	}
}

interface Tolerance {
	source: string;
	extensions: Readonly<Record<string, string>>;
	context: Pick<RestoreContext, 'tolerate'>;
}

/** It goes on after errors, so that those of the list can be told from others: the first of the others ends it. */
async function assertTolerable(running: Running, {source, extensions, context}: Tolerance): Promise<void> {
	const complaints = createComplaints(extensions);
	for await (const line of createInterface({input: running.stdout})) {
		if (!complaints.read(line)) {
			await running.kill();
			throw new RunError(complaints.failure());
		}
	}

	const {exitCode, stderr} = await running.done;
	if (!complaints.explain(exitCode)) {
		throw new RunError(`exit code ${exitCode}: ${complaints.failure() || lastLines(stderr)}`);
	}

	for (const [what, count] of complaints.tolerated()) {
		context.tolerate({source, what, count});
	}
}
