/** What a staged dump in custom format holds, as the target's own pg_restore reads it: run where the database is, never beside a secret. */
import {pipeline} from 'node:stream/promises';
import {lastLines, type Place, type Running, succeed} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {linesOf} from '../../../base/lines.ts';
import {enterableWorker} from '../entering.ts';
import {bothEnds} from '../relay.ts';
import type {SourceContext} from '../source.ts';
import type {PostgresServer} from './server.ts';

export interface Inspected {
	/** Of the SQL that it unpacks to: what the database will take at least. */
	bytes: number;
	extensions: string[];
}

interface Staged {
	container: {id: string; name: string};
	/** In the staging folder, and beside it a name for a FIFO. */
	file: string;
	fifo: string;
}

/** `sh -c SCRIPT sh FILE PROGRAM …` */
const reading = 'exec <"$1"; shift; exec "$@"';
/** `sh -c SCRIPT sh FILE FIFO PROGRAM …` */
const readingInto = 'exec <"$1" >"$2"; shift 2; exec "$@"';

/** More names than any database has. */
const mostExtensions = 1000;

/** @throws when pg_restore cannot read it to its end */
export async function inspectDump(context: SourceContext, server: PostgresServer, staged: Staged): Promise<Inspected> {
	const inside = await enterableWorker(context, server, staged.container, context.signal);
	const listing = await begin(context, server, {inside, staged, argv: ['pg_restore', '--list']});
	const extensions: string[] = [];
	for await (const line of linesOf(listing.stdout)) {
		const [, name] = /^\d+; 3079 \d+ EXTENSION - (\S+) /.exec(line) ?? [];
		if (name !== undefined && extensions.length < mostExtensions) {
			extensions.push(name);
		}
	}

	await check(listing);
	const argv = ['pg_restore', '--no-owner', '--no-privileges', '-f', '-'] as const;
	const bytes =
		inside === undefined ? await countHere(context, server, {staged, argv}) : await countInside(context, server, {inside, staged, argv});
	return {bytes, extensions};
}

interface Begun {
	inside: Place | undefined;
	staged: Staged;
	argv: readonly [string, ...string[]];
}

async function begin({worker, signal}: SourceContext, server: PostgresServer, {inside, staged, argv}: Begun): Promise<Running> {
	if (inside !== undefined) {
		return inside({...server.fromWorker(reading, [staged.file], argv), signal});
	}

	const running = await server.client({argv, stdin: true, signal});
	const content = await worker({argv: ['cat', '--', staged.file], signal});
	// It may know enough before the end: its exit code says whether that is a failure.
	pipeline(content.stdout, running.stdin).catch(async () => content.kill());
	return running;
}

async function check(running: Running): Promise<void> {
	const {exitCode, stderr} = await running.done;
	if (exitCode !== 0) {
		throw new RunError(`pg_restore cannot read the dump: ${lastLines(stderr)}`);
	}
}

async function countHere(context: SourceContext, server: PostgresServer, {staged, argv}: Omit<Begun, 'inside'>): Promise<number> {
	const running = await begin(context, server, {inside: undefined, staged, argv});
	let bytes = 0;
	for await (const chunk of running.stdout) {
		bytes += (chunk as Buffer).length;
	}

	await check(running);
	return bytes;
}

/** Nothing but the count leaves the workers. */
async function countInside(
	{worker, signal}: SourceContext,
	server: PostgresServer,
	{inside, staged: {file, fifo}, argv}: Begun & {inside: Place},
): Promise<number> {
	await succeed(worker, {argv: ['mkfifo', '--mode=600', '--', fifo], signal});
	const [, counted] = await bothEnds(signal, {
		async write(either) {
			const running = await inside({...server.fromWorker(readingInto, [file, fifo], argv), signal: either});
			running.stdout.resume();
			await check(running);
		},
		read: async either => succeed(worker, {argv: ['sh', '-c', 'wc -c <"$1"', 'sh', fifo], signal: either}),
	});
	return Number(counted);
}
