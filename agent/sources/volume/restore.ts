/**
 * A volume is restored in place: only what differs is written, and what the point does not have is removed. What the point left out is left
 * alone. restic replaces links instead of following them, so nothing is written outside the mount.
 */
import {basename, dirname} from 'node:path/posix';
import * as z from 'zod';
import {output, type Place, succeed} from '../../../base/command.ts';
import {explain, RunError} from '../../../base/errors.ts';
import type {Tell} from '../../../base/events.ts';
import {escapePattern} from '../../restic/argv.ts';
import type {Restic, RestoreOptions, Unset} from '../../restic/restic.ts';
import {dumpToFile} from '../feed.ts';
import {restoreFiles} from '../kept-names.ts';
import {workerMount} from '../mounts.ts';
import {
	describeTolerated,
	type RestoreContext,
	type Restoring,
	type RestoringSource,
	replaced,
	replacedMount,
	type UndoContext,
} from '../restoring.ts';
import {assertKept, keptBy, safetyOf} from '../safety.ts';
import type {Among, PlannedSource} from '../source.ts';
import {volumeSource} from './backup.ts';
import {isBackdated, isTimeless} from './changes.ts';
import {fromRoot} from './exclusions.ts';
import {partLinks} from './links.ts';
import {mountedInside} from './nested.ts';
import type {PlannedVolume} from './plan.ts';
import {clearAround, patternsOf, putBackFrom, shelteredIn} from './sheltered.ts';
import {sparedProblems} from './spared.ts';
import {describeUnset} from './unset.ts';
import {isInTheWay, makeWay, takeAway} from './way.ts';

type VolumeSource = RestoringSource<PlannedVolume>;

/** `exclude`: what is neither written nor removed, from the mount's root. */
export const replacedVolume = replaced.extend({
	kind: z.literal('volume'),
	mount: replacedMount,
	safety: z.string().nullable(),
	exclude: z.array(z.string()).readonly(),
	/** The snapshot that was written over it. Absent in older journals. */
	from: z.string().optional(),
});

type ReplacedVolume = z.infer<typeof replacedVolume>;

interface PutFiles {
	restic: Restic;
	resticInto: (file: string) => Restic;
	worker: Place;
	/** Where the files are in the snapshot, and where they belong in the worker. */
	from: {snapshot: string; path: string};
	to: string;
	exclude: readonly string[];
	spared?: readonly string[] | undefined;
	/** What has the times of the snapshot has its content. */
	byTimes?: boolean;
	signal: AbortSignal;
	tell: Tell;
	onProgress?: (progress: {bytes: number; totalBytes?: number | undefined}) => void;
	onUnset: (unset: Unset) => void;
}

export function volumeRestoring(source: VolumeSource, context: RestoreContext, among: Among<RestoringSource>): Restoring {
	const {name, stored} = source;
	const {worker, restic, resticInto, signal, tell, tolerate} = context;
	const mount = workerMount(context.target, source);
	const exclude = leftAlone(source, among.all);
	const {spared = []} = source;
	const replacement = {kind: 'volume', source: name, mount, exclude, spared, from: stored.snapshot} as const;
	const safety = safetyOf(context, keeping => volumeSource(source, keeping, among));
	/** Since then the times of files say whether their content is the point's; undefined: they do not. */
	let told: Date | undefined;

	return {
		name,
		async load() {
			context.remember<ReplacedVolume>({...replacement, safety: null});
			// The plan asked it already: what would be lost is the repository.
			const [problem] = await sparedProblems(source, restic);
			if (problem !== undefined) {
				throw new RunError(`\`${name}\`: ${problem}`);
			}

			told = await assertRestorable(source, context, among.all);
			await safety.prepare();
		},
		ready: safety.arm,
		async keep() {
			context.remember<ReplacedVolume>({...replacement, ...(await keptBy(safety))});
		},
		async swap() {
			const onProgress = (progress: {bytes: number; totalBytes?: number | undefined}) =>
				tell({type: 'progress', source: name, ...progress});
			const onUnset = (unset: Unset) => tolerate(describeUnset(name, unset));
			const byTimes = told !== undefined && !(await isBackdated(context, mount.to, told));
			await putFiles({restic, resticInto, worker, from: stored, to: mount.to, exclude, spared, byTimes, signal, tell, onProgress, onUnset});
		},
		close: safety.close,
	};
}

/**
 * The repository may have lost what the snapshot names, or hold other bytes, and restic would find out in the middle of writing. So all of it is
 * read once before, while the application runs. Where nothing is there that could be overwritten, as on a new host, that would only take twice as long.
 *
 * What is live is read then, too: where as much differs by its content as by its times, the swap need not read it again while the application waits.
 * @returns since when that is so; undefined where it is not
 */
async function assertRestorable(
	source: VolumeSource,
	{worker, restic, resticInto, signal}: RestoreContext,
	all: readonly PlannedSource[],
): Promise<Date | undefined> {
	const {stored} = source;
	const compared = comparing(source, all);
	if (await isEmpty(worker, compared.into, signal)) {
		return undefined;
	}

	const read = async () => dumpToFile({resticInto, signal}, {snapshot: stored.snapshot, path: stored.path, file: '/dev/null'});
	if (!(await isFolder(worker, compared.into, signal))) {
		await read();
		return undefined;
	}

	// A page that was dirtied through mmap before it is read may change later without a new time; one that was written back may not.
	await succeed(worker, {argv: ['sync', '-f', compared.into], signal});
	const now = new Date();
	const {bytes} = await restic.changes({...compared, signal});
	if (bytes > 0) {
		await read();
	}

	const byTimes = await restic.changes({...compared, byTimes: true, signal});
	return byTimes.bytes === bytes && !(await isTimeless({worker, signal}, compared.into)) ? now : undefined;
}

const isFolder = async (worker: Place, path: string, signal: AbortSignal): Promise<boolean> =>
	(await output(worker, {argv: ['test', '-d', path], signal})).exitCode === 0;

async function isEmpty(worker: Place, path: string, signal: AbortSignal): Promise<boolean> {
	const {exitCode, stdout} = await output(worker, {argv: ['find', path, '-mindepth', '1', '-maxdepth', '1', '-print', '-quit'], signal});
	return exitCode === 0 && stdout === '' && isFolder(worker, path, signal);
}

/** How restic compares what is live with the point. Some files only are restored beside the live ones: with a folder that is not there. */
export function comparing(source: VolumeSource, all: readonly PlannedSource[]): RestoreOptions {
	const {to} = workerMount(source.target, source);
	const common = {snapshot: source.stored.snapshot, subfolder: source.stored.path, delete: false};
	return source.paths === undefined
		? {...common, into: to, exclude: leftAlone(source, all)}
		: {...common, into: `${to}/${restoreFiles.fresh('files', 'plan')}`, include: source.paths.map(escapePattern)};
}

/** And what belongs to the file system. */
const ownPatterns = ['/lost+found', ...restoreFiles.patterns.flatMap(pattern => [`/${pattern}`, `/**/${pattern}`])];

/** From the root of the mount. */
const leftAlone = (source: VolumeSource, all: readonly PlannedSource[]): string[] => [
	...source.exclude.map(fromRoot),
	...mountedInside(source, all).map(path => `${escapePattern(path.slice(source.mount.path.length))}/*`),
	...ownPatterns,
];

async function putFiles({
	restic,
	resticInto,
	worker,
	from,
	to,
	exclude,
	spared = [],
	byTimes = false,
	signal,
	tell,
	onProgress,
	onUnset,
}: PutFiles): Promise<void> {
	if (!(await isFolder(worker, to, signal))) {
		// A single file that is mounted can be written, and not replaced.
		await dumpToFile({resticInto, signal}, {...from, file: to});
		await dressFile({restic, from, to, signal, tell, onUnset});
		return;
	}

	const {snapshot, path} = from;
	const place = {worker, to, exclude, signal};
	const keepAs = keptAsOf(snapshot);
	const sheltered = await shelteredIn({restic, from, ...place});
	if (sheltered === undefined) {
		tell({type: 'warning', message: `nothing that the point lacks was removed: what is left alone is in too many folders that it lacks`});
	} else if (sheltered.inTheWay.length > 0) {
		await takeAway(sheltered.inTheWay, {...place, keepAs, spared});
		tellOfKept(sheltered.inTheWay, keepAs, tell);
	}

	const removes = {delete: sheltered !== undefined, exclude: [...exclude, ...(sheltered === undefined ? [] : patternsOf(sheltered))]};
	const whole = {snapshot, subfolder: path, into: to, byTimes, signal, ...removes, ...(onProgress && {onProgress})};
	await partLinks({restic, worker, whole});
	const unset = await restic.restore(whole).catch(async (error: unknown) => {
		if (!isInTheWay(error)) {
			throw error;
		}

		const isAllOurs = exclude.length === ownPatterns.length;
		const moved = await makeWay({restic, from, ...place, keepAs: isAllOurs ? undefined : keepAs, spared});
		if (!isAllOurs) {
			tellOfKept(moved, keepAs, tell);
		}

		return restic.restore(whole);
	});
	if (sheltered !== undefined) {
		await clearAround(sheltered, place);
	}

	// The mount's own owner, mode and times: restic knows them as those of an entry of the folder above.
	const children = `/${escapePattern(basename(path))}/*`;
	const own = {snapshot, subfolder: dirname(path), into: dirname(to), delete: false};
	const ofOwn = await restic.restore({...own, exclude: [children], unlocked: true, signal});
	const lost = unset ?? ofOwn;
	if (lost !== undefined) {
		onUnset(lost);
	}
}

/** The content of the file is right: restic, which sees that, sets its owner, mode and times alone. A server may refuse keys or a configuration that have others. */
async function dressFile({restic, from, to, signal, tell, onUnset}: Omit<PutFiles, 'resticInto' | 'worker' | 'exclude'>): Promise<void> {
	const {snapshot, path} = from;
	if (basename(path) !== basename(to)) {
		return;
	}

	const file = {snapshot, subfolder: dirname(path), into: dirname(to), include: [`/${escapePattern(basename(path))}`], delete: false};
	try {
		const lost = await restic.restore({...file, unlocked: true, signal});
		if (lost !== undefined) {
			onUnset(lost);
		}
	} catch (error) {
		signal.throwIfAborted();
		tell({type: 'warning', message: `the owner, mode and times of the single file ${to} could not be set: ${explain(error)}`});
	}
}

/** What folders are called that are kept beside, because what is left alone is in them. */
const keptAsOf = (snapshot: string): string => snapshot.slice(0, 8);

function tellOfKept(folders: readonly string[], keepAs: string, tell: Tell): void {
	const names = folders.map(name => `${dirname(name)}/${restoreFiles.old(basename(name), keepAs)}`).join(', ');
	tell({type: 'warning', message: `folders were in the way of files, and what is left alone may be in them: they are kept as ${names}`});
}

/** Without a safety snapshot nothing was overwritten. */
export async function rollBackVolume({mount, safety, exclude, spared, from, ...old}: ReplacedVolume, context: UndoContext): Promise<void> {
	assertKept(old);
	const {source} = old;
	const onUnset = (unset: Unset) => context.tell({type: 'warning', message: describeTolerated(describeUnset(source, unset))});
	if (safety !== null) {
		const {worker, tell} = context;
		await putFiles({...context, from: {snapshot: safety, path: mount.to}, to: mount.to, exclude, spared, onUnset});
		const left = from === undefined ? [] : await putBackFrom(keptAsOf(from), {worker, to: mount.to, exclude});
		if (left.length > 0) {
			tell({type: 'warning', message: `what is left alone could not be put back, because something else is there now: ${left.join(', ')}`});
		}
	}
}
