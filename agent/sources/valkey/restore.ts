/**
 * A Valkey server takes what it loads from its folder when it starts. So what was saved is laid beside it and checked by the server's own program while
 * all runs; then the server is stopped, which makes it save once more, and its files change places by renames. Started again, it must say that it has loaded as many keys.
 */
import {setTimeout as delay} from 'node:timers/promises';
import * as z from 'zod';
import {output, type Place, succeed} from '../../../base/command.ts';
import {explain, RunError} from '../../../base/errors.ts';
import {shippedProgram} from '../../../base/shipped.ts';
import type {Engine} from '../../../docker/engine.ts';
import {below} from '../../../docker/storage.ts';
import {mountPath, parseSource} from '../../repository/names.ts';
import {dumpToFile} from '../feed.ts';
import {restoreFiles} from '../kept-names.ts';
import {workerMount} from '../mounts.ts';
import {type RestoreContext, type Restoring, type RestoringSource, replaced, replacedMount, type UndoContext} from '../restoring.ts';
import {valkeyDetails} from './details.ts';
import type {Laid} from './files.program.ts';
import {assertLoaded} from './loaded.ts';
import type {PlannedServer} from './plan.ts';
import {readProof} from './proof.ts';
import {assertCanSave, beginSave, expectedOf, untilIdle, untilSaved} from './save.ts';
import {connectValkey, type ValkeyServer, withValkey} from './server.ts';

/** Paths as the worker sees them. `old` is a folder that holds what was there before. */
export const replacedServer = replaced.extend({
	kind: z.literal('valkey'),
	mount: replacedMount.optional(),
	folder: z.string(),
	fresh: z.string(),
	old: z.string(),
	/** The name of the container, and who is let in there. */
	container: z.string(),
	access: z.object({user: z.string().optional(), secret: z.string().optional(), project: z.string().optional()}),
	/** What the server must have loaded when it has started. */
	loads: z.object({keys: z.number(), expires: z.number()}),
	laid: z.object({
		files: z.object({saved: z.string(), appended: z.string(), appendedFile: z.string()}),
		uid: z.number(),
		gid: z.number(),
		isAppending: z.boolean(),
		isMultiPart: z.boolean(),
	}),
});

export type ReplacedServer = z.infer<typeof replacedServer>;

const program = shippedProgram('agent/sources/valkey/files.program');

const answer = z.object({error: z.string().optional(), folder: z.string().optional()});

type Verb = 'place' | 'make' | 'lay' | 'swap' | 'undo' | 'whole' | 'remove';

/** What the program says; what is wrong is an error about the source. */
async function files(worker: Place, source: string, [verb, ...rest]: [Verb, ...string[]], signal?: AbortSignal) {
	const argv = [...program, verb, ...rest] as const;
	const {error, folder} = answer.parse(JSON.parse(await succeed(worker, {argv, signal})));
	if (error !== undefined) {
		throw new RunError(`\`${source}\` ${error}`);
	}

	return {folder};
}

const argumentsOf = ({folder, fresh, old, laid}: ReplacedServer): string[] => [folder, fresh, old, JSON.stringify(laid satisfies Laid)];

/** A large data set takes its time to be loaded. */
const loadingMs = 60 * 60_000;

/** A server that was just started may not answer at once. */
const startingMs = 60_000;

const retryMs = 500;

/** From 7.0 on, an append-only file is several files in a folder. */
const isMultiPart = (info: ReadonlyMap<string, string>): boolean => Number.parseInt(info.get('redis_version') ?? '', 10) >= 7;

export function valkeyRestoring(source: RestoringSource<PlannedServer>, context: RestoreContext): Restoring {
	const {name, container, access, mount, stored} = source;
	const {worker, engine, target, run, signal, tell} = context;
	const details = valkeyDetails.parse(stored.details);
	let server: ValkeyServer | undefined;
	let replacement: ReplacedServer | undefined;
	/** Puts back what `ready` has told the server to do when it is stopped. */
	let forget: (() => Promise<unknown>) | undefined;

	const known = () => {
		if (server === undefined || replacement === undefined) {
			throw new Error('it was not loaded');
		}

		return {server, replacement};
	};

	return {
		name,
		async load() {
			if (mount === undefined) {
				throw new RunError(`\`${name}\`: container \`${container.name}\` has no volume for it`);
			}

			server = await connectValkey(engine, container, access, {signal});
			const info = await server.info();
			const root = mountPath(target, parseSource(name).prefix, mount.path);
			const {folder = ''} = await files(worker, name, ['place', root, root + below(server.folder, mount.path)], signal);
			const fresh = restoreFiles.fresh('valkey', run);
			replacement = {
				kind: 'valkey',
				source: name,
				mount: workerMount(target, {name, mount}),
				folder,
				fresh: `${folder}/${fresh}`,
				old: `${folder}/${restoreFiles.old('valkey', run)}`,
				container: container.name,
				access,
				loads: {keys: details.keys, expires: details.expires},
				laid: {
					files: server.files,
					uid: Number(server.uid),
					gid: Number(server.gid),
					isAppending: info.get('aof_enabled') === '1',
					isMultiPart: isMultiPart(info),
				},
			};
			context.remember(replacement);
			await files(worker, name, ['make', replacement.fresh], signal);
			await dumpToFile(context, {snapshot: stored.snapshot, path: stored.path, file: `${replacement.fresh}/download`});
			await prove(server, `${server.folder}/${fresh}/download`, details.keys, signal);
			await files(worker, name, ['lay', ...argumentsOf(replacement)], signal);
		},
		async ready() {
			await server?.close();
			server = await connectValkey(engine, container, access, {signal});
			forget = await keepAtStop(server, signal, message => tell({type: 'warning', message}));
		},
		// Nothing is overwritten.
		async keep() {},
		async swap() {
			await files(worker, name, ['swap', ...argumentsOf(known().replacement)], signal);
			forget = undefined;
		},
		async close() {
			await forget?.().catch(() => {});
			await server?.close();
		},
	};
}

/** The server's own program reads all of it, where the server will find it: it knows what this version can load. */
async function prove({other, checker}: ValkeyServer, file: string, keys: number, signal: AbortSignal): Promise<void> {
	const proof = readProof(await output(other, {argv: [checker, file], signal}));
	if (proof.keys !== keys) {
		throw new RunError(`it had ${keys} keys in the point, and ${proof.keys} were restored`);
	}
}

/**
 * What is kept is what the server has on its disk when it has stopped. So it saves now, and once more when it is stopped, also where it is set up to keep nothing.
 *
 * @returns what takes that back, where the server is not stopped after all
 */
async function keepAtStop(server: ValkeyServer, signal: AbortSignal, warn: (message: string) => void): Promise<() => Promise<unknown>> {
	await untilIdle(server, signal, () => warn(`the server ${server.where} is at a save of its own: waiting for it`));
	const info = await server.info();
	await assertCanSave(server, await expectedOf(server, info, undefined), signal);
	await untilSaved(server, await beginSave(server, signal), signal);
	if (info.get('aof_enabled') === '1') {
		return async () => {};
	}

	// Known from 7.0 on.
	const wish =
		(await server.setting('shutdown-on-sigterm')) === undefined
			? (['save', '3600 1'] as const)
			: (['shutdown-on-sigterm', 'save'] as const);
	const before = (await server.setting(wish[0])) ?? '';
	if (wish[0] === 'save' && before !== '') {
		return async () => {};
	}

	try {
		await server.tell(['CONFIG', 'SET', ...wish], signal);
		return async () => server.tell(['CONFIG', 'SET', wish[0], before]);
	} catch (error) {
		warn(`what is written to the server ${server.where} between now and its stop may not come back with an undo: ${explain(error)}`);
		return async () => {};
	}
}

export async function confirmServer(
	{container: name, access, loads}: ReplacedServer,
	{engine, signal}: {engine: Engine; signal: AbortSignal},
): Promise<void> {
	const info = async () => withValkey(engine, {id: name, name}, {access, signal, loadingMs}, async server => server.info());
	assertLoaded(loads, await persistently(info, signal));
}

async function persistently<Value>(ask: () => Promise<Value>, signal: AbortSignal): Promise<Value> {
	for (const deadline = performance.now() + startingMs; ; ) {
		try {
			return await ask();
		} catch (error) {
			if (performance.now() > deadline) {
				throw error;
			}
		}

		await delay(retryMs, undefined, {signal});
	}
}

export async function rollBackServer(replacement: ReplacedServer, {worker}: UndoContext): Promise<void> {
	await files(worker, replacement.source, ['undo', ...argumentsOf(replacement)]);
}

export async function releaseServer(replacement: ReplacedServer, {worker, isHalf = false}: UndoContext): Promise<void> {
	const {source, fresh, old} = replacement;
	if (isHalf) {
		await files(worker, source, ['whole', ...argumentsOf(replacement)]);
		await files(worker, source, ['remove', fresh]);
	}

	await files(worker, source, ['remove', old]);
}
