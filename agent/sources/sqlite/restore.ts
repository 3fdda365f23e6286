/** A SQLite database is loaded beside the live one and checked, while the app runs; then it takes its name, and the old one another. */
import {basename, dirname, join} from 'node:path/posix';
import * as z from 'zod';
import {type Place, succeed} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {shippedProgram} from '../../../base/shipped.ts';
import {below} from '../../../docker/storage.ts';
import {mountPath, parseSource} from '../../repository/names.ts';
import {dumpToFile} from '../feed.ts';
import {restoreFiles} from '../kept-names.ts';
import {workerMount} from '../mounts.ts';
import {type RestoreContext, type Restoring, type RestoringSource, replaced, replacedMount, type UndoContext} from '../restoring.ts';
import type {PlannedFile} from './plan.ts';
import {type Unchecked, unchecked} from './unchecked.ts';

/** Paths as the worker sees them. `old` may have a `-wal`, `-shm` and `-journal` beside it, or only a `-none` where there was no database. */
export const replacedFile = replaced.extend({
	kind: z.literal('sqlite'),
	mount: replacedMount,
	file: z.string(),
	fresh: z.string(),
	old: z.string(),
});

export type ReplacedFile = z.infer<typeof replacedFile>;

const program = shippedProgram('agent/sources/sqlite/files.program');

const answer = z.object({error: z.string().optional(), file: z.string().optional()});

/** What the program says; what is wrong is an error about the database. */
async function files(worker: Place, database: string, [verb, ...paths]: [string, ...string[]], signal?: AbortSignal) {
	const argv = [...program, verb, ...paths] as const;
	const {error, file} = answer.parse(JSON.parse(await succeed(worker, {argv, signal})));
	if (error !== undefined) {
		throw new RunError(`\`${database}\` ${error}`);
	}

	return {file};
}

/** What was restored is what was stored. @returns what of it only its application can check @throws with what is wrong */
export async function checkFile(
	worker: Place,
	database: string,
	{file, details}: {file: string; details: Readonly<Record<string, unknown>>},
	signal: AbortSignal,
): Promise<Unchecked> {
	const untested = unchecked.catch([]).parse(details.unchecked);
	await files(worker, database, ['check', file, String(details.tables), JSON.stringify(untested)], signal);
	return untested;
}

export function sqliteRestoring(source: RestoringSource<PlannedFile>, context: RestoreContext): Restoring {
	const {name, path, mount, stored} = source;
	const {worker, target, run, signal} = context;
	const {prefix} = parseSource(name);
	let replacement: ReplacedFile | undefined;

	return {
		name,
		async load() {
			const root = mountPath(target, prefix, mount.path);
			const {file = ''} = await files(worker, path, ['place', root, root + below(path, mount.path)], signal);
			const beside = (give: (name: string, run: string) => string) => join(dirname(file), give(basename(file), run));
			const fresh = beside(restoreFiles.fresh);
			replacement = {kind: 'sqlite', source: name, mount: workerMount(target, source), file, fresh, old: beside(restoreFiles.old)};
			context.remember(replacement);
			await dumpToFile(context, {snapshot: stored.snapshot, path: stored.path, file: fresh});
			await checkFile(worker, path, {file: fresh, details: stored.details}, signal);
		},
		async keep() {},
		async swap() {
			if (replacement === undefined) {
				throw new Error('swap before load');
			}

			await files(worker, path, ['swap', replacement.file, replacement.fresh, replacement.old], signal);
		},
		async close() {},
	};
}

export async function rollBackFile({source, file, fresh, old}: ReplacedFile, {worker}: UndoContext): Promise<void> {
	await files(worker, source, ['undo', file, fresh, old]);
}

export async function removeReplacedFile({source, file, fresh, old}: ReplacedFile, {worker, isHalf = false}: UndoContext): Promise<void> {
	if (isHalf) {
		await files(worker, source, ['whole', file, fresh, old]);
		await files(worker, source, ['remove', fresh]);
	}

	await files(worker, source, ['remove', old]);
}
