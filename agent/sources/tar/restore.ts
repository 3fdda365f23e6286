/**
 * A path on the container's own file system is put back by the engine, which works for stopped containers too. Files that the archive does
 * not have stay: the engine can only add and replace.
 */

import {basename, dirname, normalize} from 'node:path/posix';
import {pipeline} from 'node:stream/promises';
import {extract} from 'tar-stream';
import * as z from 'zod';
import {lastLines, type Place} from '../../../base/command.ts';
import {explain, RunError} from '../../../base/errors.ts';
import type {Engine} from '../../../docker/engine.ts';
import {statusOf} from '../../../docker/refusal.ts';
import {sourcePath} from '../../repository/names.ts';
import {dumpToFile} from '../feed.ts';
import {isUntouched, type RestoreContext, type Restoring, type RestoringSource, replaced, type UndoContext} from '../restoring.ts';
import {assertKept, keptBy, safetyOf} from '../safety.ts';
import type {Among} from '../source.ts';
import {tarSource} from './backup.ts';
import type {PlannedPath} from './plan.ts';

export const replacedPath = replaced.extend({
	kind: z.literal('tar'),
	path: z.string(),
	safety: z.string().nullable(),
	wasAbsent: z.boolean().optional(),
});

export type ReplacedPath = z.infer<typeof replacedPath>;

export function tarRestoring(source: RestoringSource<PlannedPath>, context: RestoreContext, {index}: Pick<Among, 'index'>): Restoring {
	const {name, path, container, stored} = source;
	const {engine, worker, signal, staging} = context;
	const file = `${staging}/restore-${index}.tar`;
	const safety = safetyOf(context, keeping => tarSource(source, keeping, {index}));
	let isThere = true;

	return {
		name,
		async load() {
			context.remember<ReplacedPath>({kind: 'tar', source: name, path, safety: null});
			await dumpToFile(context, {snapshot: stored.snapshot, path: stored.path, file});
			await checkArchive(worker, {file, path, signal});
			isThere = await exists(engine, container.id, path);
			if (isThere) {
				await safety.prepare();
			}
		},
		async ready() {
			if (isThere) {
				await safety.arm();
			}
		},
		async keep() {
			// While it was loaded, the application may have made it, or removed it.
			if (!(await exists(engine, container.id, path))) {
				context.remember<ReplacedPath>({kind: 'tar', source: name, path, safety: null, wasAbsent: true});
				return;
			}

			if (!isThere) {
				await safety.prepare();
				await safety.arm();
			}

			context.remember<ReplacedPath>({kind: 'tar', source: name, path, ...(await keptBy(safety))});
		},
		async swap() {
			await putArchive(engine, worker, {container: container.id, path, file, signal});
		},
		close: safety.close,
	};
}

const plainName = (name: string): string => normalize(name).replace(/\/$/, '');

async function exists(engine: Engine, container: string, path: string): Promise<boolean> {
	try {
		await engine.stat(container, path);
		return true;
	} catch (error) {
		if (statusOf(error) === 404) {
			return false;
		}

		throw error;
	}
}

/**
 * Every entry, and what a hard link points to, is the path or below it; and lies in a folder that the archive itself has made before. So no entry
 * is written through a link, be it one of the archive or one that is there. @throws for anything else, and for an archive that breaks off
 */
export async function checkArchive(worker: Place, {file, path, signal}: {file: string; path: string; signal: AbortSignal}): Promise<void> {
	const top = basename(path);
	const folders = new Set<string>();
	const links = new Set<string>();
	const isBelow = (name: string) => {
		const plain = plainName(name);
		return !name.startsWith('/') && !name.split('/').includes('..') && (plain === top || plain.startsWith(`${top}/`));
	};
	const isInFolder = (name: string) => plainName(name) === top || folders.has(dirname(plainName(name)));

	const reading = await worker({argv: ['cat', '--', file], signal});
	const entries = extract();
	const piped = pipeline(reading.stdout, entries);
	piped.catch(() => {});
	try {
		for await (const entry of entries) {
			const {name, type, linkname} = entry.header;
			const strange = [name, ...(type === 'link' ? [linkname ?? ''] : [])].find(candidate => !isBelow(candidate));
			if (strange !== undefined) {
				throw new RunError(`the archive of \`${path}\` holds ${JSON.stringify(strange)}, which is not below it`);
			}

			const plain = plainName(name);
			const isTwofold = type === 'directory' ? links.has(plain) : folders.has(plain);
			if (!isInFolder(name) || (type === 'link' && !isInFolder(linkname ?? '')) || isTwofold) {
				throw new RunError(`the archive of \`${path}\` holds ${JSON.stringify(name)}, which is not in a folder of the archive`);
			}

			if (type === 'directory') {
				folders.add(plain);
			} else if (type === 'symlink') {
				links.add(plain);
			}

			entry.resume();
		}

		await piped;
	} catch (error) {
		await reading.kill();
		throw error instanceof RunError ? error : new RunError(`the archive of \`${path}\` cannot be read: ${explain(error)}`);
	}

	const {exitCode, stderr} = await reading.done;
	if (exitCode !== 0) {
		throw new RunError(`the archive of \`${path}\` cannot be read: ${lastLines(stderr)}`);
	}
}

async function putArchive(
	engine: Engine,
	worker: Place,
	{container, path, file, signal}: {container: string; path: string; file: string; signal: AbortSignal},
): Promise<void> {
	// A folder in the place of a file goes with all that it holds, also what is mounted in it.
	const {mounts} = await engine.inspect(container);
	const replacesFolders = !mounts.some(mount => mount.path.startsWith(`${path}/`));
	const reading = await worker({argv: ['cat', '--', file], signal});
	await engine.putArchive(container, dirname(path), reading.stdout, {replacesFolders});
	const {exitCode, stderr} = await reading.done;
	if (exitCode !== 0) {
		throw new RunError(`the archive of \`${path}\` was not put back whole: ${lastLines(stderr)}`);
	}
}

export async function rollBackTar({source, path, safety, unkept, wasAbsent, touched}: ReplacedPath, context: UndoContext): Promise<void> {
	assertKept({source, unkept});
	if (wasAbsent && !isUntouched({touched})) {
		const stays = async () => exists(context.engine, context.container(source).id, path);
		if (await stays().catch(() => false)) {
			context.tell({
				type: 'warning',
				message: `\`${path}\` of \`${source}\` was not there before, and stays: the engine can only add and replace. Remove it by hand`,
			});
		}
	}

	if (safety !== null) {
		const {engine, worker, staging, signal, target} = context;
		const file = `${staging}/undo.tar`;
		await dumpToFile(context, {snapshot: safety, path: sourcePath(target, source), file});
		await putArchive(engine, worker, {container: context.container(source).id, path, file, signal});
	}
}
