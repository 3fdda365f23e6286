/**
 * A whole volume is loaded into a folder of its own, beside the live files, and then takes their place by renames: nobody waits for the data. What
 * was live lies in such a folder afterwards, until it is put back or let go.
 */
import {basename, dirname} from 'node:path/posix';
import * as z from 'zod';
import {type Place, succeed} from '../../../base/command.ts';
import {NotFoundError, RunError} from '../../../base/errors.ts';
import {shippedProgram} from '../../../base/shipped.ts';
import {statusOf} from '../../../docker/refusal.ts';
import {inside as folderIn, isSameStorage, sharesStorage} from '../../../docker/storage.ts';
import {parseSource} from '../../repository/names.ts';
import {escapePattern} from '../../restic/argv.ts';
import {restoreFiles} from '../kept-names.ts';
import type {RoomContext} from '../kind.ts';
import {workerMount} from '../mounts.ts';
import {
	isUntouched,
	type RestoreContext,
	type Restoring,
	type RestoringSource,
	replaced,
	replacedMount,
	subjectOf,
	type UndoContext,
} from '../restoring.ts';
import {fromRoot} from './exclusions.ts';
import {mountedInside} from './nested.ts';
import {isVolume, type PlannedVolume} from './plan.ts';
import {describeUnset} from './unset.ts';

type VolumeSource = RestoringSource<PlannedVolume>;

/** Paths of `mount` as the worker sees them. `exclude`: what stays where it is, from the root. */
export const replacedEntries = replaced.extend({
	kind: z.literal('entries'),
	mount: replacedMount,
	run: z.string(),
	exclude: z.array(z.string()).readonly(),
});

type ReplacedEntries = z.infer<typeof replacedEntries>;

const program = shippedProgram('agent/sources/volume/entries.program');

const answer = z.object({
	error: z.string().optional(),
	why: z.string().optional(),
	left: z.array(z.string()).default([]),
	isThere: z.boolean().optional(),
	refused: z.string().optional(),
	owners: z.object({now: z.number(), again: z.number()}).optional(),
});

async function entries(
	worker: Place,
	verb: 'look' | 'make' | 'ready' | 'swap' | 'undo' | 'clear' | 'remove',
	{source, mount, run, exclude}: Pick<ReplacedEntries, 'source' | 'mount' | 'run' | 'exclude'>,
	signal?: AbortSignal,
): Promise<z.infer<typeof answer>> {
	const argv = [...program, verb, mount.to, run, JSON.stringify(exclude)] as const;
	const said = answer.parse(JSON.parse(await succeed(worker, {argv, signal})));
	if (said.error !== undefined) {
		throw new RunError(`\`${source}\`: ${said.error}`);
	}

	return said;
}

/** What a file system refused to rename, by storage: the next restore writes in place. It is tried anew when the agent was started again. */
const refusals = new Map<string, string>();

const storageKey = ({from, subpath = ''}: Pick<ReplacedEntries['mount'], 'from' | 'subpath'>): string => `${from}\0${subpath}`;

/** Why the volume is written in place: no application may go on with what a rename took out of its sight. Undefined: there is no reason. */
export async function whyInPlace(source: VolumeSource, {worker, all, signal}: RoomContext): Promise<string | undefined> {
	const {name, exclude, spared = [], target} = source;
	const others = all.filter(other => other.mount !== undefined && sharesStorage(other.mount, source.mount));
	const other = others.find(each => each !== source && (isVolume(each) || (each.mount && !isSameStorage(each.mount, source.mount))));
	if (other !== undefined) {
		return `\`${subjectOf(other, target)}\`, which is restored with it, is of the same files`;
	}

	const [inside] = mountedInside(source, all);
	if (inside !== undefined) {
		return `something is mounted in it, at ${inside}`;
	}

	const [own] = spared;
	if (own !== undefined) {
		return `Holdfast's own folder is in it, at ${folderIn(source.mount.path, own)}, and must not be moved`;
	}

	const range = exclude.find(pattern => pattern.replaceAll(/\\./gs, '').includes('['));
	if (range !== undefined) {
		return `\`${range}\`, which is excluded, may be anywhere in it`;
	}

	const mount = workerMount(target, source);
	const refused = refusals.get(storageKey(mount));
	if (refused !== undefined) {
		return `its file system refused to rename ${refused} when a restore tried it`;
	}

	const asked = {source: name, mount, run: 'plan', exclude: source.exclude.map(fromRoot)};
	return (await entries(worker, 'look', asked, signal)).why;
}

export function entriesRestoring(
	source: VolumeSource,
	{target, run, worker, restic, remember, tolerate, signal, tell}: RestoreContext,
): Restoring {
	const {name, stored} = source;
	const mount = workerMount(target, source);
	const replacement: ReplacedEntries = {kind: 'entries', source: name, mount, run, exclude: source.exclude.map(fromRoot)};
	const top = escapePattern(basename(stored.path));

	return {
		name,
		async load() {
			remember(replacement);
			await entries(worker, 'make', replacement, signal);
			const into = `${mount.to}/${restoreFiles.fresh('volume', run)}`;
			// From the folder above, so that the root's own owner and mode are restored, too: the snapshot has this one path.
			const unset = await restic.restore({
				snapshot: stored.snapshot,
				subfolder: dirname(stored.path),
				into,
				delete: false,
				exclude: replacement.exclude.map(pattern => `/${top}${pattern}`),
				signal,
				onProgress: progress => tell({type: 'progress', source: name, ...progress}),
			});
			if (unset !== undefined) {
				tolerate(describeUnset(name, unset));
			}

			await succeed(worker, {argv: ['sync', '-f', into], signal});
		},
		async ready() {
			const {owners} = await entries(worker, 'ready', replacement, signal);
			if (owners !== undefined) {
				const message = `\`${name}\` belongs to user ${owners.now} now, and in the point to ${owners.again}, whose it is again: where the application runs as ${owners.now} since, give it to that user (\`chown -R\`)`;
				tell({type: 'warning', message});
			}
		},
		async keep() {},
		async swap() {
			const {left, refused} = await entries(worker, 'swap', replacement, signal);
			if (refused !== undefined) {
				refusals.set(storageKey(mount), refused);
				throw new RunError(`\`${name}\`: its file system refuses to rename ${refused}`, {
					hint: 'restore once more: then it is written in place',
				});
			}

			warnOfLeft(left, `they are in ${keptAs(replacement)}, and are kept when it goes`, tell);
		},
		async close() {},
	};
}

const warnOfLeft = (left: readonly string[], where: string, tell: RestoreContext['tell']): void => {
	if (left.length > 0) {
		const some = left.slice(0, 5).join(', ');
		const more = left.length > 5 ? ` and ${left.length - 5} more` : '';
		tell({
			type: 'warning',
			message: `what is excluded could not all stay where it was, because something else is there now: ${some}${more}; ${where}`,
		});
	}
};

export async function rollBackEntries(replacement: ReplacedEntries, {worker, later, tell}: UndoContext): Promise<void> {
	const {left, isThere} = await entries(worker, 'undo', replacement);
	if (isThere === false && !isUntouched(replacement)) {
		throw new NotFoundError(`\`${replacement.source}\`: ${isMissing(replacement)}`);
	}

	warnOfLeft(left, 'they are kept', tell);
	later(async () => {
		const aside = await entries(worker, 'clear', replacement);
		warnOfAside(aside.left, replacement, tell);
	});
}

const warnOfAside = (folders: readonly string[], {source}: ReplacedEntries, tell: UndoContext['tell']): void => {
	if (folders.length > 0) {
		const message = `what is excluded and has no place in \`${source}\` any more is in ${folders.join(', ')} at its root, which nobody removes but you`;
		tell({type: 'warning', message});
	}
};

const isMissing = (replacement: ReplacedEntries): string =>
	`what was there before the restore is gone: somebody removed ${keptAs(replacement)}`;

/** While all runs. */
export async function obstaclesToEntries(
	replacement: ReplacedEntries,
	{engine, container}: Pick<UndoContext, 'engine' | 'container'>,
): Promise<string[]> {
	const {source} = replacement;
	const kept = `${parseSource(source).name}/${keptAs(replacement)}`;
	return engine.stat(container(source).id, kept).then(
		() => [],
		(error: unknown) => (statusOf(error) === 404 ? [`\`${source}\`: ${isMissing(replacement)}`] : []),
	);
}

export async function removeReplacedEntries(replacement: ReplacedEntries, {worker, tell}: UndoContext): Promise<void> {
	const {left} = await entries(worker, 'remove', replacement);
	warnOfAside(left, replacement, tell);
}

export const keptAs = ({run}: Pick<ReplacedEntries, 'run'>): string => restoreFiles.old('volume', run);
