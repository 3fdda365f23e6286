/**
 * A named volume or a bind mount, as files. A first pass while the app runs reads everything; the second, in the moment, only what changed
 * since.
 *
 * restic trusts a file whose size, times and inode are as they were, which is right but for three cases, all handled here: a page that was
 * dirtied through mmap *before* it was read may change later without a new time (so: write everything back first), a file that changed *while*
 * a pass or a whole backup ran may change again without one (so: read it again), and some file systems know no such times. After each backup it is
 * known by a look at all files whether there was such a one, and how new it is: the next backup need not doubt what is newer.
 */

import {explain, RunError} from '../../../base/errors.ts';
import {label} from '../../../base/label.ts';
import {quote} from '../../../base/reading/quote.ts';
import {mountPath, parseSource} from '../../repository/names.ts';
import {escapePattern} from '../../restic/argv.ts';
import type {Saved} from '../../restic/restic.ts';
import {restoreFiles} from '../kept-names.ts';
import type {Among, Source, SourceContext} from '../source.ts';
import {snapshotOptions} from '../staged.ts';
import {warningsOfAlone} from './alone.ts';
import {lossesOfLocked} from './attributes.ts';
import {fromFolder, fromRoot, leftOut, warningsOfSpaces} from './exclusions.ts';
import {firstPass, type Passed} from './first-pass.ts';
import {holesOf} from './holes.ts';
import {doublesOf, look, lossesOf} from './look.ts';
import {mountedInside} from './nested.ts';
import type {PlannedVolume} from './plan.ts';
import {secondPassOf} from './second-pass.ts';
import {type FolderSnapshot, folderSnapshot, whyNoSnapshot} from './snapshot.ts';

/** Of more sources than these, no second pass is started beside the first: the memory of all of them at once would be a good part of a small machine. */
const mostAhead = 4;

export function volumeSource(planned: PlannedVolume, context: SourceContext, {index, all}: Among): Source {
	const {name, mount} = planned;
	const {prefix} = parseSource(name);
	const path = mountPath(context.target, prefix, mount.path);
	const {unwanted = []} = planned;
	const inWorker = (pattern: string): string => fromFolder(path, pattern);
	const exclude = [
		...planned.exclude.map(inWorker),
		...restoreFiles.patterns,
		// What is mounted inside this mount is a source of its own, or was not asked for.
		...mountedInside(planned, all).map(inner => `${escapePattern(mountPath(context.target, prefix, inner))}/*`),
	];
	const excludes = exclude.length > restoreFiles.patterns.length;
	const options = {...snapshotOptions(context, name), path, exclude};
	/** As those see it who have it at their root. */
	const leftOfRoot = [...planned.exclude.map(fromRoot), ...restoreFiles.patterns.map(each => `/**/${each}`)];
	let passed: Passed = {parent: undefined, isTimeless: false, begun: new Date(0), addedBytes: 0};
	const second = secondPassOf(context, options);
	/** @throws {RunError} where it is all of a point: that would be a success of nothing */
	const assertSomething = async (at: Pick<SourceContext, 'worker' | 'signal'>): Promise<void> => {
		const spared = exclude.filter(pattern => !unwanted.map(inWorker).includes(pattern));
		const left = unwanted.length === 0 || saved?.files !== 0 ? undefined : await leftOut({path, spared}, at);
		const message = `\`${label('exclude')}\` leaves out all that is in it${left === undefined ? '' : `, ${quote(left)} for one`}: nothing of it is backed up`;
		if (left !== undefined && all.length === 1) {
			throw new RunError(message, {hint: 'leave out less of it; docs/labels.md says what patterns mean'});
		}

		context.warnOnce?.(`${name} without all`, left === undefined ? [] : [`\`${name}\`: ${message}`]);
	};
	let saved: Saved | undefined;
	/** Where the file system makes one, it is what is read, and after the moment. */
	let still: FolderSnapshot | undefined;
	const stillIfPossible = async (): Promise<FolderSnapshot | undefined> => {
		const {snapshots} = context;
		if (!snapshots?.of.has(planned.container.id)) {
			return undefined;
		}

		const why = await whyNoSnapshot(context, path);
		context.warnOnce?.(
			`${name} as a snapshot`,
			why === undefined ? [] : [`no snapshot is made of \`${name}\`, and its application waits until it is read: ${why}`],
		);
		return why === undefined ? folderSnapshot(path, {...context, snapshots}, index) : undefined;
	};

	return {
		name,
		pinNeedsItsContainer: false,
		pinStores: true,
		// What was stored in the moment is only looked at.
		expectedBytes: () => (saved === undefined ? undefined : 0),
		async prepare() {
			still = await stillIfPossible();
			context.warnOnce?.(name, await warningsOfAlone(planned, path, context));
			context.warnOnce?.(`${name} and its patterns`, await warningsOfSpaces({name, path, patterns: unwanted}, context));
		},
		async firstPass() {
			const isAhead = still === undefined && all.length <= mostAhead;
			passed = await firstPass(context, {
				name,
				options,
				excludes,
				createdAt: planned.container.createdAt,
				sources: all.length,
				onGuess: parent => void (isAhead && second.begin(parent)),
				onMore: () => void second.stop(new Error('more has changed')),
			});
		},
		async arm() {
			await (still === undefined ? second.arm(passed.parent) : still.arm());
		},
		async pin(moment) {
			moment.throwIfAborted();
			if (still === undefined) {
				saved = await second.go(moment);
			} else {
				await still.take(moment);
			}
		},
		async store() {
			const opened = await still?.open();
			saved = (await opened?.restic.backupFiles({...options, time: context.time(), parent: passed.parent})) ?? saved;
			if (saved === undefined) {
				throw new Error('store before pin');
			}

			await assertSomething({...context, ...opened});

			// A safety snapshot has no manifest that could tell of them, and an application waits for it.
			const isPoint = context.tag === undefined;
			const [{newest, sparse, lost, snapshots}, lostOfLocked] = await Promise.all([
				isPoint
					? look({...context, ...opened}, path, passed.begun)
					: {newest: undefined, sparse: new Map<string, number>(), lost: {}, snapshots: []},
				// It takes a look at each file, and is told once.
				isPoint && context.previous(name) === undefined ? lossesOfLocked({name, path, exclude: leftOfRoot}, context) : undefined,
			]);
			if (lostOfLocked !== undefined) {
				context.warnOnce?.(`${name} and its attributes`, lostOfLocked);
			}

			context.warnOnce?.(`${name} as it is`, [...lossesOf(name, lost), ...doublesOf(name, snapshots, planned.exclude)]);
			const holes = await holesOf({...context, ...opened}, {path, snapshot: saved.snapshot, sparse});
			if (!passed.isTimeless) {
				context.rememberNewest?.(name, saved.snapshot, newest ?? null);
			}

			return {
				snapshot: saved.snapshot,
				bytes: saved.bytes,
				addedBytes: passed.addedBytes + saved.addedBytes,
				details: {
					path: mount.path,
					volume: mount.volume ?? null,
					subpath: mount.subpath ?? null,
					files: saved.files,
					exclude: planned.exclude,
					...(holes === 0 ? {} : {holes}),
				},
			};
		},
		async close() {
			await second.stop(new Error('the run is over'));
			await still?.close().catch((error: unknown) => {
				context.warnOnce?.(`${name} and its snapshot`, [`the snapshot of \`${name}\` could not be removed: ${explain(error)}`]);
			});
		},
	};
}
