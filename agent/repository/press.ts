/** How a point is published: its manifest is stored last, by a restic that waits for it meanwhile. */

import type {Restic, Saved} from '../restic/restic.ts';
import type {Manifest} from './manifest.ts';
import {agentTag, manifestPath, manifestTag, runTag, sourceTag, tagValue, targetTag} from './names.ts';
import {placedTags} from './placed.ts';
import {holdsManifest, type Marked, pointsOf} from './points.ts';
import {type OpenRecord, openRecord, storeRecord} from './record.ts';

/** A repository that does not answer either keeps its secret: the run failed, and its point, if there is one, is listed all the same. */
const askingMs = 30_000;

/** What is known of a manifest before its sources are stored. */
export type Beginning = Pick<Manifest, 'agent' | 'run' | 'target' | 'time' | 'host' | 'swarm'>;

/**
 * restic may be killed when it has saved the manifest and has not said so yet: then the
 * repository is asked.
 */
async function orSaved(restic: Restic, {run, target}: Beginning, storing: Promise<Marked>): Promise<Marked> {
	try {
		return await storing;
	} catch (error) {
		const saved = await restic.snapshots([runTag(run), targetTag(target)], AbortSignal.timeout(askingMs)).catch(() => []);
		const manifest = saved.find(holdsManifest);
		if (manifest === undefined || pointsOf(saved).length === 0) {
			throw error;
		}

		return manifest;
	}
}

const recordOf = ({run, target, agent, swarm, time, host}: Beginning, {sources, folder}: {sources: number; folder: string}) => ({
	filename: manifestPath(target),
	folder,
	name: run,
	tags: [
		'holdfast',
		...(agent === undefined ? [] : [agentTag(agent)]),
		runTag(run),
		targetTag(target),
		manifestTag(sources),
		...(swarm === undefined ? [] : placedTags(swarm)),
	],
	time: new Date(time),
	host,
});

const markedAs = ({tags, time, host}: ReturnType<typeof recordOf>, {snapshot, bytes}: Saved): Marked => ({
	id: snapshot,
	tags,
	// As restic keeps it.
	time: new Date(Math.floor(time.getTime() / 1000) * 1000),
	host,
	bytes,
});

/** Pure: the snapshots of a point that was just published, as they are listed from now on. */
export const publishedWith = (manifest: Marked, sources: ReadonlyArray<{source: string; snapshot: string; bytes: number}>): Marked[] => [
	...sources.map(({source, snapshot, bytes}) => ({
		...manifest,
		id: snapshot,
		bytes,
		tags: [...manifest.tags.filter(tag => tagValue([tag], 'manifest') === undefined), sourceTag(source)],
	})),
	manifest,
];

interface Publishing {
	/** How many the manifest will have. */
	sources: number;
	folder: string;
	signal: AbortSignal;
}

/** Publishes a point without the start of a restic, which waits meanwhile, with a lock, at the repository's door. */
export interface Press {
	/** Begins to wait for a point of this time, unless it does already. */
	ready: (beginning: Beginning) => void;
	/** After this the point exists; before, it does not. @returns the manifest's own snapshot, as it is listed from now on */
	publish: (manifest: Manifest) => Promise<Marked>;
	/** Nothing is to be published any more. Never rejects. */
	close: () => Promise<void>;
}

export function createPress(restic: Restic, {sources, folder, signal}: Publishing): Press {
	let open: {time: string; record: OpenRecord} | undefined;
	const close = async () => open?.record.close();
	const isReady = ({time}: Beginning): boolean => open?.time === time && !open.record.isOver();

	const storing = async (beginning: Beginning, content: string): Promise<Marked> => {
		const record = recordOf(beginning, {sources, folder});
		if (open !== undefined && isReady(beginning)) {
			return markedAs(record, await open.record.store(content));
		}

		// What waits for another time, a lock in its hand, waits in vain.
		void close();
		return markedAs(record, await storeRecord(restic, {...record, signal, content}));
	};

	return {
		ready(beginning) {
			if (!isReady(beginning)) {
				void close();
				open = {time: beginning.time, record: openRecord(restic, {...recordOf(beginning, {sources, folder}), signal})};
			}
		},
		async publish(manifest) {
			return orSaved(restic, manifest, storing(manifest, JSON.stringify(manifest)));
		},
		close,
	};
}

/** After this the point exists; before, it does not. */
export const publish = async (restic: Restic, manifest: Manifest, folder: string, signal: AbortSignal): Promise<Marked> =>
	createPress(restic, {sources: manifest.sources.length, folder, signal}).publish(manifest);
