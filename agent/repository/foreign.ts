/** Snapshots that are not Holdfast's: of plain restic, or of another program that uses the same repository. Listed, restored when they are named, never removed. */
import {posix} from 'node:path';
import {NotFoundError, UsageError} from '../../base/errors.ts';
import type {Snapshot} from '../restic/restic.ts';
import type {Manifest} from './manifest.ts';
import type {Point} from './points.ts';

const ours = new Set(['holdfast', 'holdfast-first-pass', 'holdfast-safety']);

/** Pure, newest first. */
export const foreignAmong = (snapshots: readonly Snapshot[]): Snapshot[] =>
	snapshots.filter(({tags}) => !tags.some(tag => ours.has(tag))).toSorted((a, b) => b.time.getTime() - a.time.getTime());

/** `snapshot:ID`, or `snapshot:ID:/folder/in/it`: what `--from-snapshot` names, in the place of a point. */
const prefix = 'snapshot:';

export const isForeign = (point: string): boolean => point.startsWith(prefix);

const foreignName = (snapshot: string): string => prefix + snapshot;

interface Wanted {
	/** As `foreignName` makes it. */
	point: string;
	target: string;
	only: readonly string[];
	snapshots: readonly Snapshot[];
}

/** Pure: the one source of the snapshot, as if it were a point of the target. @throws {NotFoundError | UsageError} */
export function foreignPoint({point, target, only, snapshots}: Wanted): {point: Point; manifest: Manifest} {
	const [, id = '', folder] = /^snapshot:([0-9a-f]+)(?::(\/.*))?$/.exec(point) ?? [];
	const found = id.length < 6 ? [] : foreignAmong(snapshots).filter(each => each.id.startsWith(id));
	const [snapshot] = found;
	if (snapshot === undefined || found.length > 1) {
		const isOurs = id.length >= 6 && found.length === 0 && snapshots.some(each => each.id.startsWith(id));
		throw new NotFoundError(
			isOurs ? `snapshot \`${id}\` is Holdfast's own` : `there is no one snapshot \`${point.slice(prefix.length)}\` of another program`,
			{hint: isOurs ? 'restore its point: holdfast points' : '`holdfast points --foreign` lists them; 6 characters of an id, or more'},
		);
	}

	const [source] = only;
	if (source === undefined || only.length > 1 || !/^(?:[^:/]+\/)?volume:\//.test(source)) {
		throw new UsageError(`what is in snapshot \`${id}\` must be told: \`--only\` with one volume, got \`${only.join(', ')}\``, {
			hint: `holdfast restore ${target} --only volume:/data --from-snapshot ${id}:/folder/in/it`,
		});
	}

	const path = posix.normalize(folder ?? onlyPath(snapshot)).replace(/(?<=.)\/$/, '');
	const mount = source.slice(source.indexOf(':') + 1);
	const time = snapshot.time.toISOString();
	const name = foreignName(`${snapshot.id.slice(0, 8)}:${path}`);
	const {bytes, host} = snapshot;
	return {
		point: {
			id: name,
			agent: null,
			host,
			target,
			filedAs: target,
			time: snapshot.time,
			manifest: snapshot.id,
			sources: [{source, snapshot: snapshot.id, bytes}],
		},
		manifest: {
			schema: 1,
			run: name,
			target,
			time,
			startedAt: time,
			host,
			engineVersion: '',
			holdfastVersion: '',
			resticVersion: '',
			quiesced: [],
			quiesceSeconds: 0,
			sources: [
				{
					source,
					kind: 'volume',
					snapshot: snapshot.id,
					bytes,
					addedBytes: 0,
					durationSeconds: 0,
					path,
					container: {name: '', image: '', imageId: '', labels: {}},
					details: {path: mount, exclude: []},
				},
			],
		},
	};
}

function onlyPath({id, paths}: Snapshot): string {
	const [path] = paths;
	if (path === undefined || paths.length > 1) {
		throw new UsageError(`snapshot \`${id.slice(0, 8)}\` has ${paths.length} paths: ${paths.slice(0, 10).join(', ')}`, {
			hint: `name the folder that belongs there: --from-snapshot ${id.slice(0, 8)}:${path ?? '/folder'}`,
		});
	}

	return path;
}
