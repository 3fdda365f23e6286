/**
 * A named volume or a bind mount, as files. A first pass while the app runs reads everything; the second, in the moment, only what changed
 * since. Where nothing changed since the backup before, that one serves as the first pass; but not after a run that failed, perhaps because
 * the moment took too long: a disk that was exchanged for one with old files looks unchanged.
 *
 * restic trusts a file whose size, times and inode are as they were, which is right but for three cases, all handled here: a page that was
 * dirtied through mmap *before* it was read may change later without a new time (so: write everything back first), a file that changed *while*
 * the first pass ran may change again within its time's resolution (so: read it again), and some file systems know no such times.
 */

import {text} from 'node:stream/consumers';
import {lastLines, output, succeed} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {firstPassTag, mountPath, parseSource, runTag} from '../../repository/names.ts';
import {escapePattern} from '../../restic/argv.ts';
import type {Hold} from '../../restic/hold.ts';
import type {Saved} from '../../restic/restic.ts';
import {restoreFiles} from '../kept-names.ts';
import type {PlannedSource} from '../kind.ts';
import type {PreviousSnapshot, Source, SourceContext} from '../source.ts';
import {snapshotOptions} from '../staged.ts';

/** Where a page that is changed through mmap never gets a new time: there every pass reads everything. */
const timeless = ['tmpfs', 'ramfs'];

/** File times come from a clock that may be a tick behind; and a network file system has a clock of its own. */
const clockMarginMs = 2000;

export function volumeSource(planned: PlannedSource & {kind: 'volume'}, context: SourceContext, nested: readonly string[]): Source {
	const {name, mount} = planned;
	const {restic, worker, signal, run} = context;
	const {prefix} = parseSource(name);
	const path = mountPath(context.target, prefix, mount.path);
	const exclude = [
		...planned.exclude.map(pattern => `${escapePattern(path)}/${pattern.replace(/^\//, '')}`),
		...restoreFiles.patterns,
		// What is mounted inside this mount is a source of its own, or was not asked for.
		...nested.map(inner => `${escapePattern(mountPath(context.target, prefix, inner))}/*`),
	];
	const options = {...snapshotOptions(context, name), path, exclude};
	const pass = async (from: string | undefined): Promise<Saved> => {
		const passed = await restic.backupFiles({...options, time: new Date(), tags: [firstPassTag, runTag(run)], parent: from});
		addedBefore += passed.addedBytes;
		return passed;
	};
	/** The same snapshot without those files, so that a pass from it reads them again. However many they are: they are no arguments of one command. */
	const distrusting = async ({snapshot}: Saved, from: Date, until?: Date): Promise<string> =>
		restic.rewriteWithout(snapshot, await changedBetween(context, path, from, until), signal);
	/** What the first pass stored, and the second finds in the repository. */
	let addedBefore = 0;
	let isTimeless = false;
	let parent: string | undefined;
	let armed: Armed | undefined;
	let saved: Saved | undefined;

	return {
		name,
		pinNeedsItsContainer: false,
		async prepare() {
			isTimeless = timeless.includes((await succeed(worker, {argv: ['stat', '--file-system', '--format=%T', '--', path], signal})).trim());
		},
		async firstPass() {
			const begun = new Date();
			await succeed(worker, {argv: ['sync', '-f', path], signal});
			const previous = isTimeless ? undefined : context.previous(name);
			if (
				previous?.isLatest &&
				planned.container.createdAt < previous.runStartedAt.getTime() &&
				!(await hasChanged(context, path, previous))
			) {
				parent = previous.snapshot;
				return;
			}

			let passed = await pass(previous?.snapshot);
			if (previous !== undefined) {
				const trusted = await distrusting(passed, previous.runStartedAt, previous.runEndedAt);
				passed = trusted === passed.snapshot ? passed : await pass(trusted);
			}

			parent = isTimeless ? undefined : await distrusting(passed, begun);
		},
		async arm() {
			armed?.stop(new Error('another try'));
			armed = await holdSecondPass(hold => restic.backupFiles({...options, time: context.time(), parent, quick: true, ...hold}), signal);
		},
		async pin(moment) {
			moment.throwIfAborted();
			const stop = () => armed?.stop(moment.reason);
			moment.addEventListener('abort', stop, {once: true});
			saved = await armed?.go();
			moment.removeEventListener('abort', stop);
		},
		async store() {
			if (saved === undefined) {
				throw new Error('store before pin');
			}

			return {
				snapshot: saved.snapshot,
				bytes: saved.bytes,
				addedBytes: addedBefore + saved.addedBytes,
				details: {path: mount.path, volume: mount.volume ?? null, files: saved.files, exclude: planned.exclude},
			};
		},
		async close() {
			armed?.stop(new Error('the run is over'));
		},
	};
}

/** A second pass that has opened the repository and waits for the moment, so that the moment costs no start. */
interface Armed {
	go: () => Promise<Saved>;
	stop: (reason: unknown) => void;
}

async function holdSecondPass(begin: (hold: {hold: Hold; signal: AbortSignal}) => Promise<Saved>, signal: AbortSignal): Promise<Armed> {
	const held = Promise.withResolvers<void>();
	const go = Promise.withResolvers<void>();
	const stop = new AbortController();
	const saving = begin({hold: {held: held.resolve, go: go.promise}, signal: AbortSignal.any([signal, stop.signal])});
	await Promise.race([held.promise, saving]);
	saving.catch(() => {});
	return {
		async go() {
			go.resolve();
			return saving;
		},
		stop: reason => stop.abort(reason),
	};
}

const newerThan = (time: Date): string[] => {
	const since = new Date(time.getTime() - clockMarginMs).toISOString();
	return ['(', '-newermt', since, '-o', '-newerct', since, ')'];
};

/** Whether anything in it is newer than that run. A folder that was renamed or filled is, though the files in it may be old. */
async function hasChanged({worker, signal}: SourceContext, path: string, {runStartedAt}: PreviousSnapshot): Promise<boolean> {
	const {exitCode, stdout} = await output(worker, {argv: ['find', path, ...newerThan(runStartedAt), '-print', '-quit'], signal});
	// What vanishes under its feet is a change, too.
	return exitCode !== 0 || stdout !== '';
}

/** Patterns of the files whose content or inode changed in that time. @throws when a folder cannot be read */
async function changedBetween({worker, signal}: SourceContext, path: string, from: Date, until: Date | undefined): Promise<string[]> {
	const before = until === undefined ? [] : ['!', '-newermt', new Date(until.getTime() + clockMarginMs).toISOString()];
	const find = await worker({argv: ['find', path, '-type', 'f', ...newerThan(from), ...before, '-print0'], signal});
	const [found, {exitCode, stderr}] = await Promise.all([text(find.stdout), find.done]);
	// A file may vanish while the app runs: then there is nothing to doubt.
	if (exitCode !== 0 && !/No such file/.test(stderr)) {
		throw new RunError(`\`${path}\` cannot be searched: ${lastLines(stderr)}`);
	}

	return found.split('\0').filter(Boolean).map(escapePattern);
}
