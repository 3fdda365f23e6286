/** The content of a dump is loaded into a new, empty database. */
import {pipeline} from 'node:stream/promises';
import {lastLines, type Running, succeed} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {linesOf} from '../../../base/lines.ts';
import {enterableWorker} from '../entering.ts';
import {consumerScript, dumpToFile, feed} from '../feed.ts';
import {bothEnds} from '../relay.ts';
import type {RestoreContext, RestoringSource} from '../restoring.ts';
import {makeChecks, takeChecks} from './checks.ts';
import type {postgresDetails} from './dump.ts';
import {jobsFor} from './jobs.ts';
import type {PlannedDatabase} from './plan.ts';
import {untimedEnvironment} from './psql.ts';
import {keepingPath, keepPath} from './search-path.ts';
import {type PostgresServer, spokenEnglish} from './server.ts';
import {sessionOption, untimed} from './timeouts.ts';
import {createComplaints, type Postponed} from './tolerated.ts';
import {unspoken} from './unspoken.ts';

type PostgresSource = RestoringSource<PlannedDatabase>;

interface Content {
	source: PostgresSource;
	fresh: string;
	details: ReturnType<typeof postgresDetails.parse>;
	/** In the staging folder: the dump flows through it, or lies in it. */
	file: string;
	/** In place of the empty one of the dump. */
	searchPath?: string | undefined;
	/** Checks that may look at other rows are made when all rows are there. */
	checksLast?: boolean | undefined;
	/** Tables go into the default one: others that they were in are not there. */
	noTablespaces?: boolean | undefined;
}

/** `sh -c SCRIPT sh PROGRAM …`: what it complains of comes as its output, which is read as it comes. */
const complaining = 'exec "$@" 2>&1';

/** @returns what must be done once more when everything is loaded */
export async function loadContent(context: RestoreContext, server: PostgresServer, content: Content): Promise<Postponed[]> {
	const {fresh, checksLast = false, searchPath} = content;
	if (!checksLast) {
		return loadSections(context, server, content);
	}

	const {signal} = context;
	const tolerate = (what: string) => context.tolerate({source: content.source.name, what, count: 1});
	const load = async (section: Section) => loadSections(context, server, {...content, file: `${content.file}-${section}`}, section);
	const postponed = await load('pre-data');
	const checks = await takeChecks(server, fresh, signal);
	postponed.push(...(await load('data')));
	await makeChecks(server, {database: fresh, checks, searchPath, tolerate, signal});
	postponed.push(...(await load('post-data')));
	return postponed;
}

type Section = 'pre-data' | 'data' | 'post-data';

/**
 * The container's own program reads it, in the dump worker or, where there can be none, through docker exec; that of an external server, in the
 * client worker, with several sessions where it pays.
 *
 * @param section of a dump in custom format; none: all of it
 */
async function loadSections(context: RestoreContext, server: PostgresServer, content: Content, section?: Section): Promise<Postponed[]> {
	const {source, details, searchPath} = content;
	const loader = await loaderFor(server, content, section);
	const postponed: Postponed[] = [];
	const check = async (running: Running) => {
		try {
			await (loader.isCustom
				? assertTolerable(running, {source: source.name, extensions: details.extensions, context, postponed})
				: assertDone(running));
		} catch (error) {
			throw new RunError(`${loader.program[0]} of \`${source.database}\` failed`, {cause: error});
		}
	};

	const loading: Loading = {context, server, content, loader, check};
	const jobs = searchPath === undefined && section === undefined ? await jobsFor(context, server, source, details) : 1;
	if (jobs > 1) {
		await loadFile(loading, jobs);
		return postponed;
	}

	const worker = await enterableWorker(context, server, source.container, context.signal);
	await (worker === undefined ? loadThroughExec(loading) : loadInWorker(loading, worker));
	return postponed;
}

type Argv = readonly [string, ...string[]];

interface Loader {
	isCustom: boolean;
	program: Argv;
	env: Readonly<Record<string, string>>;
}

/** The program that takes the dump, as the database to be filled wants it. */
async function loaderFor(
	server: PostgresServer,
	{fresh, details, searchPath, noTablespaces}: Content,
	section: Section | undefined,
): Promise<Loader> {
	const isCustom = details.format === 'custom';
	const connection = server.connection(fresh);
	const program: Argv = isCustom
		? [
				'pg_restore',
				...(section === undefined ? [] : [`--section=${section}`]),
				...(details.portable ? ['--no-owner', '--no-privileges'] : []),
				...(noTablespaces ? ['--no-tablespaces'] : []),
				...connection,
			]
		: ['psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', ...connection, '-c', untimed.join('; '), '-f', '-'];
	const untimedOnly = await untimedEnvironment(server, fresh);
	const options = [
		...(untimedOnly.PGOPTIONS ? [untimedOnly.PGOPTIONS] : []),
		...(details.lcMonetary ? [sessionOption('lc_monetary', details.lcMonetary)] : []),
		...(searchPath === undefined ? [] : [sessionOption('search_path', searchPath)]),
	];
	// What it complains of is read in English.
	return {isCustom, program, env: {...(isCustom ? spokenEnglish : {}), ...(options.length === 0 ? {} : {PGOPTIONS: options.join(' ')})}};
}

interface Loading {
	context: RestoreContext;
	server: PostgresServer;
	content: Content;
	loader: Loader;
	/** @throws where the program did not take all of it */
	check: (running: Running) => Promise<void>;
}

const argvOf = ({isCustom, program}: Loader): Argv => (isCustom ? ['/bin/sh', '-c', complaining, 'sh', ...program] : program);

/** Several sessions at once need the whole dump in a file. */
async function loadFile({context, server, content: {source, file}, loader, check}: Loading, jobs: number): Promise<void> {
	const {worker, signal} = context;
	await dumpToFile(context, {snapshot: source.stored.snapshot, path: source.stored.path, file});
	await check(await server.client({argv: [...argvOf(loader), `--jobs=${jobs}`, file], env: loader.env, signal}));
	await succeed(worker, {argv: ['rm', '-f', '--', file], signal});
}

async function loadThroughExec({context, server, content: {source, searchPath}, loader, check}: Loading): Promise<void> {
	const {snapshot, path} = source.stored;
	const started = Promise.withResolvers<Running>();
	await bothEnds(context.signal, {
		async write(signal) {
			const dumping = await context.restic.dump(snapshot, path, signal);
			const {stdin} = await started.promise;
			await (searchPath === undefined
				? pipeline(dumping.stdout, stdin, {signal})
				: pipeline(dumping.stdout, keepingPath(), stdin, {signal}));
			await dumping.done;
		},
		async read(signal) {
			const reading = server.client({argv: argvOf(loader), env: loader.env, stdin: true, signal});
			reading.then(started.resolve, started.reject);
			await check(await reading);
		},
	});
}

type Entering = NonNullable<Awaited<ReturnType<typeof enterableWorker>>>;

/** The worker's own shell reads, as the container may have none. */
async function loadInWorker({context, server, content, loader, check}: Loading, worker: Entering): Promise<void> {
	const {source, file, searchPath} = content;
	const inside = server.fromWorker(loader.isCustom ? `${consumerScript} 2>&1` : consumerScript, [file], loader.program);
	await feed(context, {
		snapshot: source.stored.snapshot,
		path: source.stored.path,
		fifo: file,
		edit: searchPath === undefined ? undefined : keepPath,
		consume: async signal => check(await worker({...inside, env: {...inside.env, ...loader.env}, signal})),
	});
}

async function assertDone(running: Running): Promise<void> {
	running.stdout.resume();
	const {exitCode, stderr} = await running.done;
	if (exitCode !== 0) {
		throw new RunError(`exit code ${exitCode}: ${unspoken(lastLines(stderr))}`);
	}
}

interface Tolerance {
	source: string;
	extensions: Readonly<Record<string, string>>;
	context: Pick<RestoreContext, 'tolerate'>;
	/** What is to be done once more is added. */
	postponed: Postponed[];
}

/** It goes on after errors, so that those of the list can be told from others: the first of the others ends it. */
async function assertTolerable(running: Running, {source, extensions, context, postponed}: Tolerance): Promise<void> {
	const complaints = createComplaints(extensions);
	for await (const line of linesOf(running.stdout)) {
		if (!complaints.read(line)) {
			await running.kill();
			throw new RunError(complaints.failure());
		}
	}

	const {exitCode, stderr} = await running.done;
	if (!complaints.explain(exitCode)) {
		throw new RunError(`exit code ${exitCode}: ${complaints.failure() || lastLines(stderr)}`);
	}

	postponed.push(...complaints.postponed());
	for (const [what, count] of complaints.tolerated()) {
		context.tolerate({source, what, count});
	}
}
