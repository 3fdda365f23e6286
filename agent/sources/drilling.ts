/**
 * A source that is rehearsed: restored into scratch, with the loading code of a restore, and checked. Each kind has one
 * factory. Nothing of the target is touched: not its containers, not its mounts, not its networks.
 */

import type {Place} from '../../base/command.ts';
import {RunError} from '../../base/errors.ts';
import {room} from '../../base/units.ts';
import type {ScratchWorker} from '../../docker/worker.ts';
import type {ManifestSource} from '../repository/manifest.ts';
import type {RestoreContext} from './restoring.ts';
import {freeRoom} from './room.ts';

/** One source of a point, and what its labels ask of a rehearsal. */
export interface DrillSource<Policy = unknown> {
	name: string;
	/** Of the manifest: the snapshot, its path in there, the details. */
	stored: ManifestSource;
	/** Of its container: what the server of a scratch container is made of. */
	image: string;
	/** What the labels ask of its kind now; undefined where the service is gone. */
	policy: Policy | undefined;
	/** Must return true in what was restored. */
	drillSql?: string | undefined;
}

/** restic reads from the repository alone, and not from the cache: a new host has none. */
export interface DrillContext extends RestoreContext {
	/** An idle container of this image. */
	scratch: (image: string, env: Readonly<Record<string, string>>) => Promise<ScratchWorker>;
	/** What sources of a drill use one after the other: the first that asks by this name makes it. It goes with the drill. */
	shared: <Thing>(name: string, make: () => Promise<Thing>) => Promise<Thing>;
	/** Whoever asks next makes it anew. */
	unshare: (name: string) => void;
}

export interface Drilling {
	readonly name: string;
	/** Restores and checks, and removes what it restored. @returns what was found, for people @throws with what is wrong */
	rehearse: () => Promise<string[]>;
}

/** What must be left on the disk beside what a rehearsal restores: the applications go on writing meanwhile. */
const marginBytes = 1024 ** 3;

/** @throws where the folder's file system has not enough left */
export async function assertRoom(place: Place, folder: string, bytes: number, signal: AbortSignal): Promise<void> {
	const [free = 0] = await freeRoom(place, [folder], signal);
	if (free < bytes + marginBytes) {
		throw new RunError(
			`there is too little room to rehearse: it needs ${room(bytes + marginBytes)} (its own size and ${room(marginBytes)}), and the engine's disk has ${room(free)} left`,
		);
	}
}
