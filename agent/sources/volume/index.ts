/** Named volumes and bind mounts, as files. */
import * as z from 'zod';
import {output} from '../../../base/command.ts';
import type {Container, Mount} from '../../../docker/container.ts';
import {isSameStorage} from '../../../docker/storage.ts';
import {parseSource} from '../../repository/names.ts';
import {escapePattern} from '../../restic/argv.ts';
import type {Kind, RoomContext} from '../kind.ts';
import {workerMount} from '../mounts.ts';
import type {RestoringSource, UndoContext} from '../restoring.ts';
import {heldBytes} from '../room.ts';
import {describeSafety, forgetSafety} from '../safety.ts';
import {volumeSource} from './backup.ts';
import {countFiles} from './count.ts';
import {volumeDrilling} from './drill.ts';
import {
	entriesRestoring,
	keptAs,
	obstaclesToEntries,
	removeReplacedEntries,
	replacedEntries,
	rollBackEntries,
	whyInPlace,
} from './entries.ts';
import {fromRoot} from './exclusions.ts';
import {type VolumePolicy, volumeLabels, volumePolicy} from './labels.ts';
import {lockedProblems} from './locked.ts';
import {type PlannedVolume, volumeSources} from './plan.ts';
import {comparing, replacedVolume, rollBackVolume, volumeRestoring} from './restore.ts';
import {shapeProblems} from './shape.ts';
import {describeReplacedFiles, filesRestoring, removeReplacedFiles, replacedFiles, rollBackFiles} from './single-files.ts';
import {sparedProblems} from './spared.ts';

const replaced = z.discriminatedUnion('kind', [replacedVolume, replacedFiles, replacedEntries]);

export const volume: Kind<VolumePolicy, unknown, PlannedVolume, z.infer<typeof replaced>> = {
	kind: 'volume',
	title: 'volume',
	isDatabase: false,
	isServed: false,
	isTree: true,
	writesToMount: false,
	rank: 0,
	labels: volumeLabels,
	policy: volumePolicy,
	asks: ({volumes}) => Array.isArray(volumes),
	choosesMounts: ({volumes}) => volumes !== undefined,
	names: ({volumes}, {mount}) => Array.isArray(volumes) && volumes.some(item => item === mount.path || item === mount.volume),
	plan: volumeSources,
	covers: ({mount}) => [{mount, withInside: true}],
	isRepeat: (a, b) => isSameStorage(a.mount, b.mount) && a.exclude.join('\0') === b.exclude.join('\0'),
	stillness: () => 'needed',
	view: ({mount, exclude}) => ({path: mount.path, exclude}),
	backup: volumeSource,
	place({source, name: path, details}, {container}) {
		const mount = container.mounts.find(candidate => candidate.path === path) ?? mountNow(details, container);
		const exclude = Array.isArray(details.exclude) ? details.exclude.map(String) : [];
		return mount === undefined
			? `\`${source}\`: container \`${container.name}\` has no mount at ${path} (mount there what is to have it, or name the other sources with --only)`
			: {
					name: mount.path === path ? source : `${parseSource(source).prefix}volume:${mount.path}`,
					container,
					kind: 'volume',
					mount,
					exclude,
				};
	},
	spare: (planned, paths) => ({...planned, spared: paths, exclude: [...new Set([...planned.exclude, ...paths.map(escapePattern)])]}),
	leftOutSince: ({exclude}, policy) => policy.exclude.filter(pattern => !exclude.some(known => fromRoot(known) === fromRoot(pattern))),
	check: async (source, {restic}) => ({problems: await sparedProblems(source, restic)}),
	writing,
	count: countFiles,
	whyInPlace,
	locked: async (source, context) => [...(await shapeProblems(source, context)), ...(await lockedProblems(source, context))],
	restore(source, context, among) {
		const {paths, inPlace, spared = []} = source;
		return paths !== undefined
			? filesRestoring({...source, paths}, context)
			: // Whoever decided: a rename would take what is spared along.
				inPlace === undefined && spared.length === 0
				? entriesRestoring(source, context)
				: volumeRestoring(source, context, among);
	},
	replaced,
	rollBack: async (old, context) => verbsOf(old).rollBack(context),
	obstacles: async (old, context) => (old.kind === 'entries' ? obstaclesToEntries(old, context) : []),
	release: async (old, context) => verbsOf(old).release(context),
	describe: old => verbsOf(old).describe(),
	drill: volumeDrilling,
};

/** An image may want its data at another path than before: the same part of the same volume is the same storage. Of points that do not say which part, nobody knows. */
function mountNow({volume: named, subpath}: Readonly<Record<string, unknown>>, {mounts}: Container): Mount | undefined {
	const same = mounts.filter(mount => mount.type === 'volume' && mount.volume === named && (mount.subpath ?? null) === subpath);
	return same.length === 1 ? same[0] : undefined;
}

function verbsOf(old: z.infer<typeof replaced>) {
	switch (old.kind) {
		case 'files':
			return {
				rollBack: async (context: UndoContext) => rollBackFiles(old, context),
				release: async (context: UndoContext) => removeReplacedFiles(old, context),
				describe: () => describeReplacedFiles(old),
			};
		case 'entries':
			return {
				rollBack: async (context: UndoContext) => rollBackEntries(old, context),
				release: async (context: UndoContext) => removeReplacedEntries(old, context),
				describe: () => keptAs(old),
			};
		default:
			return {
				rollBack: async (context: UndoContext) => rollBackVolume(old, context),
				release: async (context: UndoContext) => forgetSafety(old, context),
				describe: () => describeSafety(old),
			};
	}
}

/**
 * Beside what is live all of it is written, with its holes. In its place, what differs, and that is known only by comparing all files; those that are
 * there are written without holes.
 */
function writing(source: RestoringSource<PlannedVolume>, {worker, restic, all, signal}: RoomContext) {
	const {stored, paths, inPlace} = source;
	const held = heldBytes(stored);
	const folder = workerMount(source.target, source).to;
	return {
		folder,
		atMost: inPlace === undefined ? held : stored.bytes,
		exactly: paths === undefined && inPlace === undefined ? undefined : exactly,
	};

	async function exactly(): Promise<number> {
		const isFolder = (await output(worker, {argv: ['test', '-d', folder], signal})).exitCode === 0;
		if (!isFolder) {
			return stored.bytes;
		}

		const {fresh, over} = await restic.room({...comparing(source, all), signal});
		return Math.min(fresh, held) + over;
	}
}
