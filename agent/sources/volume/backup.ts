/**
 * A named volume or a bind mount, as files. A first pass while the app runs reads everything; the second, in the moment, only what changed
 * since. Where nothing changed since the backup before, or little, which is read ahead by itself, that one serves as the first pass; but not after
 * a run that failed, perhaps because the moment took too long: a disk that was exchanged for one with old files looks unchanged.
 *
 * restic trusts a file whose size, times and inode are as they were, which is right but for three cases, all handled here: a page that was
 * dirtied through mmap *before* it was read may change later without a new time (so: write everything back first), a file that changed *while*
 * a pass or a whole backup ran may change again without one (so: read it again), and some file systems know no such times. After each backup it is
 * known by a look at all files whether there was such a one, and how new it is: the next backup need not doubt what is newer.
 */

import {succeed} from '../../../base/command.ts';
import {explain, RepositoryError, RunError} from '../../../base/errors.ts';
import {label} from '../../../base/label.ts';
import {quote} from '../../../base/reading/quote.ts';
import {agentTag, firstPassTag, mountPath, parseSource, runTag} from '../../repository/names.ts';
import {escapePattern} from '../../restic/argv.ts';
import {type Held, held} from '../../restic/held.ts';
import type {Saved} from '../../restic/restic.ts';
import {restoreFiles} from '../kept-names.ts';
import type {Among, Source, SourceContext} from '../source.ts';
import {snapshotOptions} from '../staged.ts';
import {warningsOfAlone} from './alone.ts';
import {lossesOfLocked} from './attributes.ts';
import {bothOf, type Changes, changedBetween, lastOf} from './changes.ts';
import {fromFolder, fromRoot, leftOut, warningsOfSpaces} from './exclusions.ts';
import {holesOf} from './holes.ts';
import {doublesOf, look, lossesOf} from './look.ts';
import {mountedInside} from './nested.ts';
import type {PlannedVolume} from './plan.ts';
import {firstLook, holdsAll, type Little} from './since.ts';
import {type FolderSnapshot, folderSnapshot, whyNoSnapshot} from './snapshot.ts';

/**
 * So little is read again whole, where something of it changed: telling it apart costs a start of restic, and reading it a tenth of a second. Its
 * content is in the repository by then, so that the moment waits for no network and no disk that is written to.
 */
const isLittle = ({bytes, files}: Saved): boolean => bytes <= 16 * 1024 ** 2 && files <= 1000;

/** Of more sources than these, no second pass is started beside the first: the memory of all of them at once would be a good part of a small machine. */
const mostAhead = 4;

/** So long, in seconds, the moment may store what was not read ahead; where it takes much longer than that, the next one has it read ahead. */
const longestInMoment = 0.25;
const slowMs = 2000;

/** How often a first pass begins anew because very much changed while it ran. */
const mostFirstPasses = 3;

export function volumeSource(planned: PlannedVolume, context: SourceContext, {index, all}: Among): Source {
	const {name, mount} = planned;
	const {restic, worker, signal, run} = context;
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
	const pass = async (from: string | undefined, only?: readonly string[]): Promise<Saved> => {
		const passed = await restic.backupFiles({
			...options,
			only,
			time: new Date(),
			tags: [firstPassTag, agentTag(context.agent), runTag(run)],
			parent: from,
			live: true,
		});
		addedBefore += passed.addedBytes;
		context.pace?.learn(passed);
		return passed;
	};
	/** @returns since when every change of a file that is mapped into memory gives it a new time: what was changed before is written back */
	const writtenBack = async (): Promise<Date> => {
		const begun = new Date();
		await succeed(worker, {argv: ['sync', '-f', path], signal});
		return begun;
	};
	/** A folder on a disk that has shown how fast it is: the moment reads it alone, which spares the run a start and a snapshot. */
	const fitsMoment = ({bytes, hasFolders}: Little): boolean =>
		!hasFolders && (context.pace?.secondsFor(bytes * all.length) ?? Number.POSITIVE_INFINITY) <= longestInMoment;
	/** Little that changed: its content is in the repository when the moment comes, which reads it again. False: it was more than that. */
	const isAhead = async (little: Little, from: string): Promise<boolean> => {
		try {
			return holdsAll(little, await pass(from, little.paths));
		} catch (error) {
			signal.throwIfAborted();
			// Some of it is gone already, or cannot be read: who looks at all of it knows.
			if (error instanceof RepositoryError && error.problem === 'failed') {
				return false;
			}

			throw error;
		}
	};
	/** The same snapshot without what changed then, so that a pass from it reads that again; undefined where all must be. */
	const distrusting = async (saved: Saved, {patterns}: Changes): Promise<string | undefined> =>
		patterns === 'everything' || (patterns.length > 0 && isLittle(saved))
			? undefined
			: restic.rewriteWithout(saved.snapshot, patterns, signal);
	/** What the first pass stored, and the second finds in the repository. */
	let addedBefore = 0;
	/** There every pass reads everything. */
	let timeless = false;
	let parent: string | undefined;
	/** When the files were written back that were read first. */
	let begun = new Date(0);
	let armed: Armed | undefined;
	let isLetGo = false;
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
	const startSecondPass = (from: string | undefined): Armed => {
		isLetGo = false;
		const time = context.time();
		return {from, time, ...held(async hold => restic.backupFiles({...options, time, parent: from, quick: true, ...hold}), signal)};
	};
	const isStill = async ({from, time, waiting, isOver}: Armed): Promise<boolean> =>
		!isLetGo &&
		from === parent &&
		time.getTime() === context.time().getTime() &&
		waiting.then(
			() => !isOver(),
			() => false,
		);
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
			const latest = context.previous(name);
			const isSame = latest?.isLatest && planned.container.createdAt < latest.runStartedAt.getTime();
			// It starts while it is looked whether it will do.
			armed = isSame && still === undefined && all.length <= mostAhead ? startSecondPass(latest.snapshot) : undefined;
			const until = latest?.newest === undefined ? latest && lastOf(latest.runEndedAt) : (latest.newest ?? undefined);
			const looked = await firstLook(context, path, isSame ? {from: latest.runStartedAt, until, excludes} : undefined);
			const {since} = looked;
			timeless = looked.isTimeless;
			begun = looked.begun;
			const previous = timeless ? undefined : latest;
			const isLittleMore = typeof since === 'object' && !since.isDoubtful;
			if (previous && (since === 'nothing' || (isLittleMore && (fitsMoment(since) || (await isAhead(since, previous.snapshot)))))) {
				parent = previous.snapshot;
				return;
			}

			void armed?.stop(new Error('more has changed'));
			armed = undefined;
			let passed = await pass(previous?.snapshot);
			const before = previous && until && (await changedBetween(context, path, previous.runStartedAt, until));
			if (before !== undefined && before.patterns.length > 0) {
				const trusted = await distrusting(passed, bothOf(before, await changedBetween(context, path, begun, undefined)));
				if ((trusted === undefined && isLittle(passed)) || typeof since === 'object') {
					parent = trusted;
					return;
				}

				if (trusted !== passed.snapshot) {
					begun = await writtenBack();
					passed = await pass(trusted);
				}
			}

			for (let passes = 1; !timeless; passes++) {
				const changes = await changedBetween(context, path, begun, undefined);
				parent = await distrusting(passed, changes);
				if (!changes.isCoarse || passes === (context.keepsAll ? 1 : mostFirstPasses)) {
					return;
				}

				// What must be read again is read while the application runs, and not in the moment.
				begun = await writtenBack();
				passed = await pass(parent);
			}
		},
		async arm() {
			if (still !== undefined) {
				await still.arm();
				return;
			}

			if (armed === undefined || !(await isStill(armed))) {
				const former = armed?.stop(new Error('another try'));
				armed = startSecondPass(parent);
				await Promise.all([former, armed.waiting]);
			}
		},
		async pin(moment) {
			moment.throwIfAborted();
			if (still !== undefined) {
				await still.take(moment);
				return;
			}

			const stop = () => void armed?.stop(moment.reason);
			moment.addEventListener('abort', stop, {once: true});
			isLetGo = true;
			const at = performance.now();
			saved = await armed?.go();
			if (performance.now() - at > slowMs) {
				context.pace?.forget();
			}

			moment.removeEventListener('abort', stop);
		},
		async store() {
			const opened = await still?.open();
			saved = (await opened?.restic.backupFiles({...options, time: context.time(), parent})) ?? saved;
			if (saved === undefined) {
				throw new Error('store before pin');
			}

			await assertSomething({...context, ...opened});

			// A safety snapshot has no manifest that could tell of them, and an application waits for it.
			const isPoint = context.tag === undefined;
			const [{newest, sparse, lost, snapshots}, lostOfLocked] = await Promise.all([
				isPoint
					? look({...context, ...opened}, path, begun)
					: {newest: undefined, sparse: new Map<string, number>(), lost: {}, snapshots: []},
				// It takes a look at each file, and is told once.
				isPoint && context.previous(name) === undefined ? lossesOfLocked({name, path, exclude: leftOfRoot}, context) : undefined,
			]);
			if (lostOfLocked !== undefined) {
				context.warnOnce?.(`${name} and its attributes`, lostOfLocked);
			}

			context.warnOnce?.(`${name} as it is`, [...lossesOf(name, lost), ...doublesOf(name, snapshots, planned.exclude)]);
			const holes = await holesOf({...context, ...opened}, {path, snapshot: saved.snapshot, sparse});
			if (!timeless) {
				context.rememberNewest?.(name, saved.snapshot, newest ?? null);
			}

			return {
				snapshot: saved.snapshot,
				bytes: saved.bytes,
				addedBytes: addedBefore + saved.addedBytes,
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
			await armed?.stop(new Error('the run is over'));
			await still?.close().catch((error: unknown) => {
				context.warnOnce?.(`${name} and its snapshot`, [`the snapshot of \`${name}\` could not be removed: ${explain(error)}`]);
			});
		},
	};
}

/** A second pass that has opened the repository and waits for the moment, so that the moment costs no start. */
interface Armed extends Held<Saved> {
	/** Its parent. */
	from: string | undefined;
	/** Of its snapshot. */
	time: Date;
}
