/** A service that has another name by now, or is in another project: what it writes to is the same. Pure. */
import type {BackupResult} from '../../base/results.ts';
import type {Target} from '../targets/target.ts';

/** What its containers may write, by the names that the engine's host has for it, sorted: what a service is, whatever it is called. */
export function storagesOf({members}: Pick<Target, 'members'>): string[] {
	const names = members.flatMap(({container: {mounts}}) =>
		mounts.flatMap(({type, volume, hostPath, subpath, readWrite, isOfAll, path}) => {
			if (!readWrite || isOfAll || path.endsWith('.sock') || hostPath.endsWith('.sock')) {
				return [];
			}

			return type === 'volume' ? `volume ${volume ?? ''}/${subpath ?? ''}` : hostPath === '' ? [] : `host ${hostPath}`;
		}),
	);
	return [...new Set(names)].toSorted();
}

export interface BackedUp {
	target: string;
	storages: readonly string[];
	/** Its last good backup. */
	last: BackupResult;
	/** Milliseconds since 1970. */
	at: number;
}

const bytesOf = ({sources}: BackupResult): number => sources.reduce((sum, {bytes}) => sum + (bytes ?? 0), 0);

/**
 * The one of the targets that there are which is it: it has every storage of the one that is gone, has backed up every source of it since that was missed, by the
 * same names, and not much less. With less than that, nobody knows.
 * @param since when it was missed, milliseconds since 1970
 */
export function renamedTo(
	gone: BackedUp,
	present: readonly BackedUp[],
	{since, shrinkLimit}: {since: number; shrinkLimit: number},
): BackedUp | undefined {
	return present.find(
		({storages, last, at}) =>
			gone.storages.length > 0 &&
			gone.storages.every(storage => storages.includes(storage)) &&
			at > since &&
			gone.last.sources.every(({source}) => last.sources.some(other => other.source === source)) &&
			bytesOf(last) >= bytesOf(gone.last) * (1 - shrinkLimit),
	);
}
