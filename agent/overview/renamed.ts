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

export const bytesOf = ({sources}: BackupResult): number => sources.reduce((sum, {bytes}) => sum + (bytes ?? 0), 0);

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

/** A target that there is, or was. */
interface Known {
	target: string;
	/** As the engine's host had them when it was seen last. */
	storages: readonly string[];
}

/** A renamed project may be up for this long before the one of the old name is taken down. */
const besideMs = 24 * 3_600_000;

/**
 * The one that it probably is in a project with a new name: the service of the same name, which writes to volumes and folders that differ in the name of their
 * project alone, and came when this one went. Its data may be there, or may be in the old volumes still: only a person knows. Where two could be it, none is named.
 * @param since when it was missed, milliseconds since 1970
 */
export function probablyRenamedTo<Present extends Known & {hereSince: number | undefined}>(
	gone: Known,
	present: readonly Present[],
	since: number,
): Present | undefined {
	const [own, service] = gone.target.split('/');
	const places = placesOf(gone);
	const found = present.filter(
		other =>
			service !== undefined &&
			other.target.split('/')[0] !== own &&
			other.target.split('/')[1] === service &&
			other.hereSince !== undefined &&
			other.hereSince > since - besideMs &&
			places.length > 0 &&
			placesOf(other).join('\n') === places.join('\n'),
	);
	return found.length === 1 ? found[0] : undefined;
}

/** What it writes to, with nothing in it of its project's name. */
function placesOf({target, storages}: Known): string[] {
	const project = target.split('/')[0] ?? '';
	return storages
		.map(storage =>
			storage.startsWith(`volume ${project}_`)
				? `volume ./${storage.slice(`volume ${project}_`.length)}`
				: storage
						.split('/')
						.map(part => (part === project ? '.' : part))
						.join('/'),
		)
		.toSorted();
}
