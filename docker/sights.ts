/** What a worker sees of folders of the host that it mounts. */
import {succeed} from '../base/command.ts';
import type {Folder} from './container.ts';
import {type MountedFolder, readMountinfo} from './mountinfo.ts';
import {statusOf} from './refusal.ts';
import {isInside} from './storage.ts';
import {lookedAt, type Workforce} from './worker.ts';

/** A folder as the kernel has it: `in` is the file system's number. */
export interface Sight extends Pick<MountedFolder, 'system'> {
	own: Folder;
	/** File systems that are mounted in it. */
	inner: readonly Folder[];
	/** Its number there, which another folder of the same name has not. Empty where it is not known. */
	inode: string;
	/** A single file. */
	isFile?: true | undefined;
}

/** What is mounted in a folder: beyond that it is the host's whole tree. */
const mostInner = 100;

const patienceMs = 60_000;

/** What fails faster is tried in halves, until it is known which folder cannot be looked at: the others are not lost with it. */
const quickMs = 10_000;

/** With lines that `readMountinfo` passes over: the number of each folder in its file system, and what it is. */
const script = `cat /proc/self/mountinfo && for folder; do timeout -s KILL 5 stat --format='inode %n %i %F' -- "$folder" || :; done`;

/** What `stat` calls a file, an empty one too. */
const fileWords = /^regular /;

/** By path. What is neither seen nor unseen is not there. */
export interface Looked {
	sights: ReadonlyMap<string, Sight>;
	/** Why not. */
	unseen: ReadonlyMap<string, unknown>;
}

/**
 * A bind mount of what is not there is refused, with the path: the others are looked at without it.
 * @param isAble somebody was seen to be able to look at all
 */
export async function lookAt(workforce: Workforce, paths: readonly string[], {isAble = false} = {}): Promise<Looked> {
	let left = paths;
	for (;;) {
		const begun = Date.now();
		try {
			const {run} = await workforce.look(left);
			const places = left.map((_, index) => lookedAt(index));
			const printed = await succeed(run, {argv: ['sh', '-c', script, 'sh', ...places], signal: AbortSignal.timeout(patienceMs)});
			const mounted = readMountinfo(printed);
			const stats = new Map(
				[...printed.matchAll(/^inode (\S+) (\d+) (.+)$/gm)].map(([, place = '', inode = '', kind = '']) => [
					place,
					{inode, isFile: fileWords.test(kind)},
				]),
			);
			const sights = new Map(
				left.flatMap((path, index) => sightAt(lookedAt(index), mounted, stats.get(lookedAt(index))).map(sight => [path, sight] as const)),
			);
			return {sights, unseen: new Map()};
		} catch (error) {
			const named = left.filter(path => error instanceof Error && error.message.includes(path));
			// The name of one may be a part of another's.
			const gone = named.filter(path => !named.some(other => other !== path && other.includes(path)));
			const remaining = left.filter(path => !gone.includes(path));
			if ([400, 404, 500].includes(statusOf(error) ?? 0) && remaining.length < left.length) {
				left = remaining;
				continue;
			}

			if (Date.now() - begun > quickMs || !(isAble || (await canLook(workforce)))) {
				throw error;
			}

			return left.length > 1 ? lookByHalves(workforce, left) : {sights: new Map(), unseen: new Map(left.map(path => [path, error]))};
		}
	}
}

async function lookByHalves(workforce: Workforce, paths: readonly string[]): Promise<Looked> {
	const middle = Math.ceil(paths.length / 2);
	const first = await lookAt(workforce, paths.slice(0, middle), {isAble: true});
	const second = await lookAt(workforce, paths.slice(middle), {isAble: true});
	return {sights: new Map([...first.sights, ...second.sights]), unseen: new Map([...first.unseen, ...second.unseen])};
}

const canLook = async (workforce: Workforce): Promise<boolean> =>
	workforce.look([]).then(
		() => true,
		() => false,
	);

/** Elsewhere a folder may have another number after each mount, or each time it is looked up. */
const numbering = /^(?:ext[234]|xfs|btrfs|f2fs|zfs|tmpfs) /;

/** Of two at one path, the later one is seen. */
function sightAt(place: string, mounted: readonly MountedFolder[], {inode, isFile} = {inode: '', isFile: false}): Sight[] {
	const folderOf = ({device, root}: MountedFolder): Folder => ({in: device, path: root});
	const own = mounted.findLast(({path}) => path === place);
	const inner = mounted.filter(({path}) => path !== place && isInside(path, place)).slice(0, mostInner);
	return own === undefined
		? []
		: [
				{
					own: folderOf(own),
					inner: inner.map(folderOf),
					system: own.system,
					inode: numbering.test(own.system) ? inode : '',
					...(isFile && {isFile}),
				},
			];
}
