/** What a backup lays aside before it is stored: looked at before it is written, all of it together, so that no disk is filled to its end. */
import type {Place} from '../../base/command.ts';
import {RunError} from '../../base/errors.ts';
import {room} from '../../base/units.ts';
import {freeRoom} from './room.ts';

/** As much is left to those who write meanwhile as is laid aside, but for the least and the most that make sense. */
const leastMarginBytes = 64 * 1024 ** 2;
const mostMarginBytes = 1024 ** 3;

export interface StagingRoom {
	/**
	 * Claims room for the copy of a source.
	 * @param when it is made: in the moment, beside all the others, or when it is stored, alone; what is stored beside others counts as of the moment
	 * @param freeBytes left on the folder's file system, where somebody has just looked
	 * @returns how large the copy may become
	 * @throws where there is not enough for all that is claimed so far
	 */
	claim: (source: string, bytes: number, when: 'in the moment' | 'in turn', freeBytes?: number) => Promise<number>;
}

export function createStagingRoom(place: Place, folder: string, signal: AbortSignal): StagingRoom {
	const claims = new Map<string, {bytes: number; when: 'in the moment' | 'in turn'}>();
	const claimed = (when: 'in the moment' | 'in turn') => [...claims.values()].filter(claim => claim.when === when).map(({bytes}) => bytes);

	return {
		async claim(source, bytes, when, freeBytes) {
			claims.set(source, {bytes, when});
			const [free = 0] = freeBytes === undefined ? await freeRoom(place, [folder], signal) : [freeBytes];
			const needed = claimed('in the moment').reduce((sum, each) => sum + each, 0) + Math.max(0, ...claimed('in turn'));
			const margin = Math.min(mostMarginBytes, Math.max(leastMarginBytes, needed));
			if (free < needed + margin) {
				throw new RunError(
					`there is too little room for the copy that is made before it is stored: ${room(needed + margin)} are needed (${room(needed)} and ${room(margin)} that are left to others), and the engine's disk has ${room(free)} left`,
					{hint: 'make room on the disk of the engine (`docker system df`), or move its data root'},
				);
			}

			return bytes + free - needed - margin;
		},
	};
}
