/**
 * Snapshots that belong to no point: first passes, what runs that failed had stored before, and safety snapshots of restores that are settled.
 * Nobody needs them after the next point.
 */

import type {RepositoryDoor} from '../repository/door.ts';
import {firstPassTag, runOfTag, safetyTag, targetTag} from '../repository/names.ts';
import {holdsManifest, type Marked, type Point} from '../repository/points.ts';
import type {Restic} from '../restic/restic.ts';
import type {Workshop} from '../runs/workshop.ts';
import type {RunRecord, State} from '../state/state.ts';
import {forgetPoints, withoutPoint} from './forgetting.ts';
import {isLocked, type Released, releaseLocks} from './locks.ts';

interface Parts {
	workshop: Workshop;
	/** With a restic that does not wait for locks: forgetting wants the repository for itself, and what is left now is for a later sweep. @param run that is ending */
	withRestic: <Value>(run: string, work: (restic: Restic) => Promise<Value>) => Promise<Value>;
	door: Pick<RepositoryDoor, 'access' | 'learn'>;
	state: Pick<State, 'findRun' | 'restores' | 'hosts' | 'rememberForgetting' | 'forgetting' | 'clearForgetting'>;
}

export interface Sweeper {
	/**
	 * After a run that made a point. Call it when no other run of this agent is under way. Locks of the run are waited for until its workers are removed.
	 * @returns what a person should know
	 */
	sweep: (options: {
		run: string;
		target: string;
		/** All of the repository, as they are after the run. */
		snapshots: readonly Marked[];
		/** Those that are kept no longer: removed whole. */
		points: readonly Point[];
		/** Its workers are removed: before, nobody knows that a lock of them is a dead one's. */
		dismissed: Promise<unknown>;
	}) => Promise<string | undefined>;
	/** Removes the locks that the dead left. @param over a run that is ending, and has nothing under way any more */
	releaseLocks: (over?: string) => Promise<Released>;
}

/** For people, once. */
const learned =
	"the repository refuses that anything is removed from it, so it counts as append-only from now on: removing what no rule keeps is somebody else's (HOLDFAST_REPOSITORY_ACCESS says so at once; docs/append-only.md)";

export function createSweeper({workshop, withRestic, door, state}: Parts): Sweeper {
	const isOver = (run: string) => state.findRun(run)?.state === 'finished';
	let releasing: Promise<Released> | undefined;

	const release = async (over?: string): Promise<Released> => {
		if (door.access() === 'read-only') {
			return {removed: [], left: []};
		}

		const released = releasing ?? releaseLocks({workshop, isOver: run => run === over || isOver(run), hosts: state.hosts()});
		releasing = released;
		try {
			return await released;
		} finally {
			releasing = undefined;
		}
	};

	const removing = async (forget: () => Promise<void>, dismissed: Promise<unknown>): Promise<string | undefined> => {
		if (door.access() !== 'full') {
			return undefined;
		}

		try {
			return await unlessLocked(forget, async () => {
				await dismissed;
				return release();
			});
		} catch (error) {
			if (door.learn(error)) {
				return learned;
			}

			throw error;
		}
	};

	return {
		releaseLocks: release,
		async sweep({run, target, snapshots, points, dismissed}) {
			if (door.access() !== 'full') {
				return undefined;
			}

			const isWithoutPoint = (id: string) => id !== run && endedWithoutPoint(state.findRun(id));
			const kept = new Set(
				state
					.restores()
					.flatMap(({replacements}) => replacements.flatMap(replacement => ('safety' in replacement ? [replacement.safety] : []))),
			);
			const known = {target, isOver: (id: string) => id === run || isOver(id), isWithoutPoint, isKept: (id: string) => kept.has(id)};
			// With what a kill or an error has interrupted before.
			const others = [...leftovers(snapshots, known), ...withoutPoint(snapshots, state.forgetting())];
			if (others.length === 0 && points.length === 0) {
				state.clearForgetting();
				return undefined;
			}

			return removing(async () => withRestic(run, async restic => forgetPoints(restic, state, points, {others})), dismissed);
		},
	};
}

const endedWithoutPoint = (record: RunRecord | undefined): boolean =>
	(record?.operation === 'backup' || record?.operation === 'import') &&
	record.state === 'finished' &&
	record.result !== null &&
	'sources' in record.result &&
	record.result.point === null;

/** Somebody else's lock is no failure. */
async function unlessLocked(forget: () => Promise<void>, release: () => Promise<Released>): Promise<string | undefined> {
	try {
		await forget();
		return undefined;
	} catch (error) {
		if (!isLocked(error)) {
			throw error;
		}
	}

	const {warning} = await release();
	try {
		await forget();
	} catch (error) {
		if (!isLocked(error)) {
			throw error;
		}
	}

	return warning;
}

interface Known {
	/** Has a new point. */
	target: string;
	/** A run of this agent that ended; never one of somebody else. */
	isOver: (run: string) => boolean;
	/** A backup run of this agent that ended and left no point. */
	isWithoutPoint: (run: string) => boolean;
	/** A safety snapshot that a restore may still be undone with. */
	isKept: (snapshot: string) => boolean;
}

/** Pure: what may be forgotten. Nothing of a run that has a manifest, whatever else is said of it. */
export function leftovers(snapshots: readonly Marked[], {target, isOver, isWithoutPoint, isKept}: Known): string[] {
	const published = new Set(snapshots.filter(holdsManifest).map(runOf));
	const isLeft = (snapshot: Marked): boolean => {
		const run = runOf(snapshot);
		if (run === undefined) {
			return false;
		}

		const {tags} = snapshot;
		if (tags.includes(safetyTag)) {
			return isOver(run) && !isKept(snapshot.id);
		}

		return tags.includes(firstPassTag)
			? isOver(run)
			: tags.includes('holdfast') && tags.includes(targetTag(target)) && isWithoutPoint(run) && !published.has(run);
	};

	return snapshots.filter(isLeft).map(({id}) => id);
}

const runOf = ({tags}: Marked): string | undefined => tags.map(runOfTag).find(run => run !== undefined);
