/** A snapshot that is nothing but its tags. */
import type {Snapshot} from '../../../agent/restic/restic.ts';

export const bareSnapshot = (id: string, ...tags: string[]): Snapshot => ({
	id,
	tags,
	time: new Date(0),
	tree: '',
	host: 'host',
	paths: [],
	bytes: 0,
	addedBytes: 0,
});
