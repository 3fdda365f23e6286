import type {SourceContext} from '../source.ts';
import type {Look} from './look.ts';

interface Held {
	path: string;
	/** Of that folder: a file that it left out has no holes in it. */
	snapshot: string;
	sparse: Look['sparse'];
}

/** @returns bytes */
export async function holesOf({restic, signal}: Pick<SourceContext, 'restic' | 'signal'>, {path, snapshot, sparse}: Held): Promise<number> {
	let holes = 0;
	if (sparse.size > 0) {
		const onEntry = (entry: {path: string; size: number}) => {
			holes += Math.max(0, entry.size - (sparse.get(entry.path) ?? entry.size));
		};
		await restic.list({snapshot, folder: path, onEntry, signal});
	}

	return holes;
}
