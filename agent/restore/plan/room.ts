/** Whether the files of a restore fit where they belong, and may be put there; the room for databases is asked of their servers, when it is checked whether they can take them. */

import {dirname} from 'node:path/posix';
import {explain} from '../../../base/errors.ts';
import {runId} from '../../../base/ids.ts';
import {inTurns} from '../../../base/in-turns.ts';
import {room} from '../../../base/units.ts';
import {hostFolderOf} from '../../../docker/storage.ts';
import type {NamedRepository} from '../../repository/repositories.ts';
import {hired} from '../../runs/shell.ts';
import type {Workshop} from '../../runs/workshop.ts';
import type {RoomContext} from '../../sources/kind.ts';
import {kindOf} from '../../sources/kinds.ts';
import {mountsOf} from '../../sources/mounts.ts';
import {type RestoringSource, subjectOf} from '../../sources/restoring.ts';
import {mostBytes, roomProblems, sharesOf, type Writing} from '../../sources/room.ts';
import {isSingleFile} from '../../sources/single-file.ts';
import type {Restoration} from './plan.ts';
import {type Counts, countAll} from './storages.ts';

type Sources = Restoration['sources'];

type Asked = Omit<RoomContext, 'all'>;

/** Nothing is changed. @returns what does not fit, or may not be changed */
export async function fileProblems(sources: Sources, asked: Asked): Promise<string[]> {
	const writings = sources.flatMap(source => writingOf(source, sources, asked) ?? []);
	const locked = await inTurns(sources, async source => kindOf(source.kind).locked?.(source, {...asked, all: sources}) ?? []);
	return [...locked.flat(), ...(await roomProblems(asked.worker, writings, asked.signal))];
}

function writingOf(source: RestoringSource, all: Sources, asked: Asked): Writing | undefined {
	const writing = kindOf(source.kind).writing?.(source, {...asked, all});
	return writing && {...writing, source: source.name};
}

/**
 * Which of them are loaded beside what is live, and which are written over it. Nothing is changed.
 * @param marginBytes what must be left beside both, as the application goes on to write
 * @returns the same sources, and those that are written in place say why
 */
export async function withWays(sources: Sources, asked: Asked, marginBytes: number): Promise<RestoringSource[]> {
	const decided = await inTurns(sources, async source => {
		const {whyInPlace} = kindOf(source.kind);
		return whyInPlace === undefined || source.paths !== undefined || source.inPlace !== undefined
			? source
			: {...source, inPlace: await whyInPlace(source, {...asked, all: sources})};
	});
	const writings = new Map(decided.map(source => [source, writingOf(source, decided, asked)] as const));
	const shares = await sharesOf(
		asked.worker,
		[...writings.values()].filter(writing => writing !== undefined),
		asked.signal,
	);
	return decided.map(source => {
		const writing = writings.get(source);
		const share = shares.find(each => writing !== undefined && each.writings.includes(writing));
		return share === undefined || !isBeside(source) || mostBytes(share) + marginBytes <= share.freeBytes
			? source
			: {
					...source,
					inPlace: `there is no room for both: ${room(mostBytes(share))} and ${room(marginBytes)} more are needed, and its file system has ${room(share.freeBytes)} left`,
				};
	});
}

/** Of those that could be written in place. */
export const isBeside = ({kind, paths, inPlace}: RestoringSource): boolean =>
	kindOf(kind).whyInPlace !== undefined && (paths !== undefined || inPlace === undefined);

/** For people. @param restored the target, or the project */
export const wayWarnings = (sources: Sources, restored: string): string[] =>
	sources.flatMap(({inPlace, ...source}) =>
		inPlace === undefined
			? []
			: [`\`${subjectOf(source, restored)}\` is written in place, and its application waits for that, because ${inPlace}`],
	);

/** All of that before there is a run, and how many files would be written and removed: in a worker of its own, which may only read. */
export async function filesAhead(
	workshop: Pick<Workshop, 'hire'>,
	from: NamedRepository,
	{sources, marginBytes}: {sources: Sources; marginBytes: number},
): Promise<{problems: string[]; counts: Counts; sources: Sources}> {
	if (sources.every(({kind}) => kindOf(kind).writing === undefined)) {
		return {problems: [], counts: new Map(), sources};
	}

	try {
		return await hired(workshop, `plan-${runId(Date.now())}`, async workforce => {
			const mounts = mountsOf(sources).map(mount => ({...mount, readOnly: true}));
			const {run: worker} = await workforce.repository(mounts, 'read');
			const asked = {worker, restic: from.restic(worker)};
			const {signal} = new AbortController();
			const decided = await withWays(sources, {...asked, signal}, marginBytes);
			const problems = await fileProblems(decided, {...asked, signal});
			return {problems, counts: problems.length > 0 ? new Map() : await countAll(decided, asked), sources: decided};
		});
	} catch (error) {
		return {problems: [await whyUnknown(error, sources, from)], counts: new Map(), sources};
	}
}

/** Compose makes a folder of the host when it starts its container: on a new host, or after it was removed, there is none before. In the place of a single file, too, where its application then finds a folder. */
async function whyUnknown(error: unknown, sources: Sources, from: Pick<NamedRepository, 'restic'>): Promise<string> {
	const why = explain(error);
	if (!why.includes('bind source path does not exist')) {
		return `whether there is room for the files is not known: ${why}`;
	}

	const bound = sources.flatMap(source => {
		const place = source.mount && hostFolderOf(source.mount);
		return place === undefined ? [] : [{source, place, isGone: source.mount?.isGone === true}];
	});
	const gone = bound.some(({isGone}) => isGone) ? bound.filter(({isGone}) => isGone) : bound;
	const files = new Set<string>();
	for (const {source, place} of gone) {
		// What cannot be asked is a folder: most are.
		if (await isSingleFile(source, from.restic(undefined, {cached: false})).catch(() => false)) {
			files.add(place);
		}
	}

	const folders = new Set(gone.map(({place}) => (files.has(place) ? dirname(place) : place)));
	const touch = files.size === 0 ? '' : ` && touch ${words(files)}`;
	return `folders of the host that belong to it are not there, and are made when its containers start for the first time: make them before, \`mkdir -p ${words(folders)}${touch}\` on the host`;
}

const words = (places: Iterable<string>): string => [...places].map(place => `'${place.replaceAll("'", String.raw`'\''`)}'`).join(' ');
