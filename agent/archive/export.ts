/** A restore point as a portable archive: a stream that is either whole or breaks off. Nothing of it lies on a disk meanwhile. */

import {PassThrough, Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {createGzip} from 'node:zlib';
import {extract, type Pack, pack} from 'tar-stream';
import type {Running} from '../../base/command.ts';
import {RunError, UsageError} from '../../base/errors.ts';
import {label} from '../../base/label.ts';
import {moving} from '../../base/patience.ts';
import {quote} from '../../base/reading/quote.ts';
import type {Manifest, ManifestSource, PortableMetadata} from '../repository/manifest.ts';
import type {Restic} from '../restic/restic.ts';
import {archiveName, dumpName, isTreeFile, metadataName, treeName} from './format.ts';

export interface Exported {
	/** As the file is to be called. */
	name: string;
	/** Its id. */
	point: string;
	/** Bytes of all that it holds, before they are compressed. */
	contentBytes: number;
	/** The archive, at the pace of its reader. Breaks with an error when it cannot be made whole; destroying it ends the work. */
	stream: Readable;
}

interface ExportRequest {
	restic: Restic;
	manifest: Manifest;
	/** Which sources, where the point has more than an archive can hold. Empty: all. */
	only: readonly string[];
}

/** @throws {UsageError} when the point does not fit into an archive: nothing is left out of it in silence */
export async function exportPoint({restic, manifest, only}: ExportRequest): Promise<Exported> {
	const {database, files} = choose(manifest, only);
	const tree = files === undefined ? undefined : await measureTree(restic, files);
	const metadata = metadataOf(manifest, {database, files, filesSize: tree?.bytes ?? 0});
	const ending = new AbortController();
	const archive = pack();
	const stream = new PassThrough({highWaterMark: 262_144});
	const writing = writeArchive(archive, {restic, metadata, database, files, signal: ending.signal});
	writing.catch((error: unknown) => archive.destroy(error as Error));
	pipeline(archive as unknown as Readable, createGzip(), stream).catch((error: unknown) => {
		ending.abort(error);
		stream.destroy(error as Error);
	});
	return {
		name: archiveName(manifest.target, new Date(manifest.time)),
		point: manifest.run,
		contentBytes: database.bytes + (tree?.bytes ?? 0),
		stream,
	};
}

interface Chosen {
	database: ManifestSource;
	files: ManifestSource | undefined;
}

function choose({run, sources}: Manifest, only: readonly string[]): Chosen {
	const unknown = only.filter(name => !sources.some(({source}) => source === name));
	const chosen = sources.filter(({source}) => only.length === 0 || only.includes(source));
	const databases = chosen.filter(({kind}) => kind === 'postgres');
	const volumes = chosen.filter(({kind}) => kind === 'volume');
	const [database] = databases;
	const fits = databases.length === 1 && volumes.length <= 1 && chosen.length === databases.length + volumes.length;
	if (unknown.length > 0 || !fits || database === undefined) {
		const has = sources.map(({source}) => `\`${source}\``).join(', ');
		throw new UsageError(
			unknown.length > 0
				? `point \`${run}\` has no source ${quote(unknown.join(', '))}; it has ${has}`
				: `a portable archive holds one database and the files of one volume at most, and point \`${run}\` has ${has}`,
			{hint: 'name those that it should hold with --only'},
		);
	}

	if (database.details.format !== 'custom') {
		throw new UsageError(
			`a portable archive needs a dump in custom format, and \`${database.source}\` of point \`${run}\` is ${quote(String(database.details.format))}`,
			{
				hint: `set the label \`${label('postgres.format')}\` to \`custom\`, and back up again`,
			},
		);
	}

	return {database, files: volumes[0]};
}

/** How many names an error shows. */
const shownNames = 3;

/** @throws {UsageError} when the volume holds what an archive has no name for */
async function measureTree(restic: Restic, {source, snapshot, path}: ManifestSource): Promise<{bytes: number}> {
	const strange: string[] = [];
	let count = 0;
	let bytes = 0;
	await restic.list({
		snapshot,
		folder: path,
		onEntry(entry) {
			if (entry.type === 'file' && isTreeFile(entry.path)) {
				bytes += entry.size;
			} else if (entry.type !== 'dir') {
				count++;
				strange.push(...(strange.length < shownNames ? [entry.path] : []));
			}
		},
	});
	if (count > 0) {
		throw new UsageError(
			`a portable archive holds files named \`xx/yy/UUID\`, and \`${source}\` has ${count} others: ${strange.map(quote).join(', ')}${count > shownNames ? ', …' : ''}`,
			{hint: 'export the database alone, with --only'},
		);
	}

	return {bytes};
}

function metadataOf({sources, origin}: Manifest, {database, files, filesSize}: Chosen & {filesSize: number}): PortableMetadata {
	const {labels, image} = (files ?? database).container;
	const seconds = sources.reduce((sum, {durationSeconds}) => sum + durationSeconds, 0);
	return {
		duration: String(Math.round(seconds)),
		dumpSize: String(database.bytes),
		modelVersion: origin?.metadata?.modelVersion ?? labels['org.opencontainers.image.version'] ?? image,
		databaseSize: String(database.details.databaseSize ?? database.bytes),
		filesSize: String(filesSize),
	};
}

interface Writing extends Chosen {
	restic: Restic;
	metadata: PortableMetadata;
	signal: AbortSignal;
}

async function writeArchive(archive: Pack, {restic, metadata, database, files, signal}: Writing): Promise<void> {
	archive.entry({name: metadataName, mode: 0o644}, JSON.stringify(metadata));
	await written(await restic.dump(database.snapshot, database.path, signal), async stdout =>
		pipeline(stdout, archive.entry({name: dumpName, size: database.bytes, mode: 0o644}) as unknown as NodeJS.WritableStream, {signal}),
	);
	if (files !== undefined) {
		archive.entry({name: treeName, type: 'directory', mode: 0o755});
		await written(await restic.dumpFolder(files.snapshot, files.path, signal), async stdout => copyTree(archive, stdout));
	}

	archive.finalize();
}

/** The end of a stream is no success: whoever wrote it must say so. */
async function written(running: Running, use: (stdout: Readable) => Promise<void>): Promise<void> {
	try {
		await Promise.all([use(Readable.from(moving(running.stdout, 'what the archive holds'), {objectMode: false})), running.done]);
	} catch (error) {
		await running.kill();
		throw error;
	}
}

async function copyTree(archive: Pack, tar: Readable): Promise<void> {
	const entries = extract();
	const piped = pipeline(tar, entries);
	piped.catch(() => {});
	for await (const entry of entries) {
		// It fails with the whole, whose failure is told.
		entry.on('error', () => {});
		const {name, type, size = 0, mtime, uid, gid} = entry.header;
		const path = name.replace(/^\.?\//, '');
		if (type === 'directory') {
			entry.resume();
		} else if (type === 'file' && isTreeFile(path)) {
			const copy = archive.entry({name: treeName + path, size, mode: 0o644, ...(mtime && {mtime}), ...(uid && {uid}), ...(gid && {gid})});
			await pipeline(entry as unknown as Readable, copy as unknown as NodeJS.WritableStream);
		} else {
			throw new RunError(`the point holds ${quote(name)}, which was not listed before`);
		}
	}

	await piped;
}
