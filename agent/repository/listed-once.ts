import {single} from '../../base/once.ts';
import type {Restic} from '../restic/restic.ts';

/** One look at what the repository holds, for all that is asked of it by whoever has this. */
export function listedOnce(restic: Restic): Restic {
	const all = single(async () => restic.snapshots(['holdfast']));
	return {...restic, snapshots: async (tags = []) => (await all()).filter(snapshot => tags.every(tag => snapshot.tags.includes(tag)))};
}
