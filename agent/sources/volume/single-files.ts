/** A few files of a volume: restored into a folder beside the live ones, then put in their place by renames. Nothing else is touched. */
import {basename} from 'node:path/posix';
import * as z from 'zod';
import {type Place, succeed} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {shippedProgram} from '../../../base/shipped.ts';
import {escapePattern} from '../../restic/argv.ts';
import {restoreFiles} from '../kept-names.ts';
import {workerMount} from '../mounts.ts';
import {type RestoreContext, type Restoring, type RestoringSource, replaced, replacedMount, type UndoContext} from '../restoring.ts';
import type {PlannedVolume} from './plan.ts';
import {describeUnset} from './unset.ts';

/** Kept beside the new ones. Paths of `mount` and `scratch` as the worker sees them, `paths` from the mount's root. */
export const replacedFiles = replaced.extend({
	kind: z.literal('files'),
	mount: replacedMount,
	scratch: z.string(),
	run: z.string(),
	paths: z.array(z.string()).readonly(),
});

type ReplacedFiles = z.infer<typeof replacedFiles>;

const program = shippedProgram('agent/sources/volume/single-files.program');

const answer = z.object({error: z.string().optional()});

async function aside(
	worker: Place,
	verb: 'check' | 'swap' | 'undo' | 'whole' | 'remove',
	replaced: ReplacedFiles,
	signal?: AbortSignal,
): Promise<void> {
	const {mount, scratch, run, paths, source} = replaced;
	const argv = [...program, verb, mount.to, scratch, run, JSON.stringify(paths)] as const;
	const {error} = answer.parse(JSON.parse(await succeed(worker, {argv, signal})));
	if (error !== undefined) {
		throw new RunError(`\`${source}\`: ${error}`);
	}
}

export function filesRestoring(
	source: RestoringSource<PlannedVolume> & {paths: readonly string[]},
	{target, run, worker, restic, remember, tolerate, signal, tell}: RestoreContext,
): Restoring {
	const {name, stored, paths, spared = []} = source;
	const mount = workerMount(target, source);
	const scratch = `${mount.to}/${restoreFiles.fresh('files', run)}`;
	const replaced: ReplacedFiles = {kind: 'files', source: name, mount, scratch, run, paths, spared};
	const restored = {
		snapshot: stored.snapshot,
		subfolder: stored.path,
		into: scratch,
		delete: false,
		include: paths.map(path => escapePattern(path)),
		signal,
	};

	return {
		name,
		async load() {
			await aside(worker, 'check', replaced, signal);
			remember(replaced);
			await succeed(worker, {argv: ['mkdir', '-p', '-m', '700', '--', scratch], signal});
			const unset = await restic.restore({
				...restored,
				onProgress: ({bytes: done, totalBytes}) => tell({type: 'progress', source: name, bytes: done, totalBytes}),
			});
			if (unset !== undefined) {
				tolerate(describeUnset(name, unset));
			}
		},
		async keep() {},
		swap: async () => aside(worker, 'swap', replaced, signal),
		async close() {},
	};
}

export const rollBackFiles = async (replaced: ReplacedFiles, {worker}: UndoContext): Promise<void> => aside(worker, 'undo', replaced);

export async function removeReplacedFiles(replaced: ReplacedFiles, {worker, isHalf = false}: UndoContext): Promise<void> {
	if (isHalf) {
		await aside(worker, 'whole', replaced);
	}

	await aside(worker, 'remove', replaced);
}

export const describeReplacedFiles = ({paths, run}: ReplacedFiles): string =>
	paths.map(path => restoreFiles.old(basename(path), run)).join(', ');
