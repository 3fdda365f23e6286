/** A file of a point as it is, a folder as a tar: a stream that is either whole or breaks off. */
import {pipeline, type Readable, Transform} from 'node:stream';
import type {Running} from '../../base/command.ts';
import type {Manifest} from '../repository/manifest.ts';
import type {Node, Restic} from '../restic/restic.ts';
import {missing} from './list.ts';
import {pathOf, placeOf} from './place.ts';

export interface Dumped {
	/** As the file is to be called. */
	name: string;
	/** Its id. */
	point: string;
	isTar: boolean;
	/** At the pace of its reader. Breaks with an error when it cannot be made whole; destroying it ends the work. */
	stream: Readable;
}

/** @throws {NotFoundError | UsageError | RepositoryError} */
export async function dump(restic: Pick<Restic, 'look' | 'dump' | 'dumpFolder'>, manifest: Manifest, path: string): Promise<Dumped> {
	const {stored, below} = placeOf(manifest, path);
	const start = stored.path + below;
	let found: Node | undefined;
	await restic.look({
		snapshot: stored.snapshot,
		path: start,
		onNode(node) {
			found = node.path === start ? node : found;
		},
	});
	if (found === undefined) {
		throw missing(manifest, path);
	}

	const isTar = found.type === 'dir';
	const running = await (isTar ? restic.dumpFolder(stored.snapshot, start) : restic.dump(stored.snapshot, start));
	return {name: nameOf({path: pathOf(stored.source, below), isTar}), point: manifest.run, isTar, stream: whole(running)};
}

/** Its last part, of characters that every system has. */
function nameOf({path, isTar}: {path: string; isTar: boolean}): string {
	const plain =
		(path.split('/').findLast(Boolean) ?? 'root')
			.replaceAll(/[^\w.-]+/g, '_')
			.replace(/^\.+/, '')
			.slice(0, 100) || 'file';
	return isTar ? `${plain}.tar` : plain;
}

/** The end of a stream is no success: whoever wrote it must say so. Whoever leaves ends the work, also one that gives nothing any more. */
function whole({stdout, done, kill}: Running): Readable {
	const stream = new Transform({
		highWaterMark: 262_144,
		transform: (chunk, _encoding, take) => take(null, chunk),
		flush: take => void done.then(() => take(), take),
		destroy: (error, take) => void kill().then(() => take(error), take),
	});
	// Whoever reads meets it; who has left need not.
	stream.on('error', () => {});
	pipeline(stdout, stream, () => {});
	done.catch((error: Error) => stream.destroy(error));
	return stream;
}
