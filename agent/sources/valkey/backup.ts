/**
 * What a Valkey server has: it forks in the moment, and its child saves what was there then. The file is laid aside as soon as it is whole, before
 * the server's next save takes its place, and read by the server's own checking program.
 */
import {lastLines, output, type Place, type Running, succeed} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {enterableWorker, throughAgent} from '../entering.ts';
import type {Among, Source, SourceContext} from '../source.ts';
import {storeStaged} from '../staged.ts';
import {usualAnswerMs} from './client.ts';
import type {ValkeyDetails} from './details.ts';
import type {PlannedServer} from './plan.ts';
import {proveStaged} from './proof.ts';
import {
	assertCanSave,
	assertOfMoment,
	assertStillOurs,
	type Begun,
	beginSave,
	expectedOf,
	memoryOf,
	untilIdle,
	untilSaved,
} from './save.ts';
import {connectValkey, type ValkeyServer} from './server.ts';

/** `sh -c SCRIPT sh FILE`, in the server's container: once it is open, the file is the same whatever takes its name. */
const readOpened = 'exec <"$1" && echo opened >&2 && exec cat';

/** `sh -c SCRIPT sh FILE PROGRAM …` */
const intoFile = 'umask 077; exec >"$1"; shift; exec "$@"';

export function valkeySource(planned: PlannedServer, context: SourceContext, {index}: Pick<Among, 'index'>): Source {
	const {name, container, access} = planned;
	const {signal, engine, tell} = context;
	const file = `${context.staging}/${index}.rdb`;
	let server: ValkeyServer | undefined;
	let inside: Place | undefined;
	let memoryBytes = 0;
	let expectedBytes: number | undefined;
	let staysThere = true;
	let saving: {done: Promise<ValkeyDetails>; end: AbortController} | undefined;

	/** In its own container, files may keep it paused for as long as an outage may be. */
	const answerMs = usualAnswerMs + (context.outage?.limitMs ?? 0);

	const connect = async (): Promise<ValkeyServer> => {
		await server?.close();
		server = undefined;
		server = await connectValkey(engine, container, access, {signal, answerMs});
		return server;
	};

	/** One that was begun in a moment that was given up shows another. */
	const giveUp = async () => {
		saving?.end.abort(new Error('it is not needed any more'));
		await saving?.done.catch(() => {});
		saving = undefined;
	};

	const take = async (from: ValkeyServer, begun: Begun, either: AbortSignal): Promise<ValkeyDetails> => {
		await untilSaved(from, begun, either);
		const saved = `${from.folder}/${from.files.saved}`;
		await layAside(context, {
			server: from,
			inside,
			saved,
			file,
			signal: either,
			onOpened: async () => assertStillOurs(from, begun, either),
		});
		if (!staysThere) {
			await succeed(from.other, {argv: ['rm', '-f', '--', saved], signal: either});
		}

		const proof = await proveStaged({server: from, worker: context.worker, inside, file, signal: either});
		assertOfMoment(proof.savedAt, begun);
		return {software: from.software, folder: from.folder, memoryBytes, ...proof};
	};

	return {
		name,
		pinNeedsItsContainer: true,
		pinStores: false,
		expectedBytes: () => expectedBytes,
		async prepare() {
			const connected = await connect();
			inside = await enterableWorker(context, connected, container, signal);
			const info = await connected.info();
			memoryBytes = memoryOf(info);
			expectedBytes = await expectedOf(connected, info, context.previous(name)?.bytes);
			// One that keeps nothing by itself would load what was left there when it starts again.
			const keepsNothing = (await connected.setting('save')) === '' && info.get('aof_enabled') !== '1';
			staysThere = !keepsNothing || (await isThere(connected));
			await assertCanSave(connected, expectedBytes, signal);
			await context.room?.claim(name, expectedBytes, 'in the moment');
		},
		async firstPass() {},
		async arm() {
			await giveUp();
			// Between two questions the server may have ended an idle session.
			const connected = await connect();
			await untilIdle(connected, signal, () =>
				tell({
					type: 'warning',
					message: `the server ${connected.where} is at a save of its own, or rewrites its append-only file: waiting for it`,
				}),
			);
		},
		async pin(moment) {
			if (server === undefined) {
				throw new Error('pin before arm');
			}

			const end = new AbortController();
			const begun = await beginSave(server, moment);
			saving = {done: take(server, begun, AbortSignal.any([signal, end.signal])), end};
			saving.done.catch(() => {});
		},
		async store() {
			if (saving === undefined) {
				throw new Error('store before pin');
			}

			return storeStaged(context, name, file, {...(await saving.done)});
		},
		async close() {
			await giveUp();
			await server?.close();
		},
	};
}

const isThere = async ({other, folder, files}: ValkeyServer): Promise<boolean> =>
	(await output(other, {argv: ['test', '-e', `${folder}/${files.saved}`]})).exitCode === 0;

interface LaidAside {
	server: ValkeyServer;
	inside: Place | undefined;
	/** In the server's container. */
	saved: string;
	/** In the staging folder. */
	file: string;
	signal: AbortSignal;
	/** Rejects where it is not the one that is wanted. */
	onOpened: () => Promise<void>;
}

async function layAside(context: SourceContext, {server, inside, saved, file, signal, onOpened}: LaidAside): Promise<void> {
	let said = '';
	let known: Promise<void> | undefined;
	const command = {
		argv: ['sh', '-c', readOpened, 'sh', saved] as const,
		signal,
		onError(piece: string) {
			said += piece;
			if (/^opened$/m.test(said)) {
				known ??= onOpened();
				known.catch(() => {});
			}
		},
	};
	const check = async ({done, stdout}: Running) => {
		stdout.resume();
		const {exitCode, stderr} = await done;
		if (exitCode !== 0) {
			throw new RunError(`\`${saved}\` could not be read: ${lastLines(stderr.replace(/^opened\n/m, ''))}`);
		}
	};
	if (inside === undefined) {
		await throughAgent(context, {client: server.other, command, file, check});
	} else {
		await check(await inside({...server.fromWorker(intoFile, [file], command.argv), signal, onError: command.onError}));
	}

	await (known ?? onOpened());
}
