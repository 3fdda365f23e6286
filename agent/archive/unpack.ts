/**
 * Takes an archive apart that nobody has checked. What it hands on it has made itself: the dump as it is, and a new tar that holds nothing
 * but regular files below `xx/yy/`. Nothing of the archive's own names, links, owners or modes gets further than this file.
 */
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {createGunzip} from 'node:zlib';
import {extract, type Header, pack} from 'tar-stream';
import {explain, UsageError} from '../../base/errors.ts';
import {quote} from '../../base/reading/quote.ts';
import {type PortableMetadata, portableMetadata} from '../repository/manifest.ts';
import {type DumpHeader, headerBytes, readDumpHeader} from '../sources/postgres/dump-header.ts';
import {dumpName, isTreeFile, isTreeFolder, metadataLimit, metadataName, treeName} from './format.ts';
import {peek} from './peek.ts';

export interface UnpackOptions {
	/** Of all that the archive holds, decompressed; a file counts as one block of the disk at least. */
	limitBytes: number;
	/** Called before the dump is taken. @throws {UsageError} when it is of no use */
	check: (header: DumpHeader) => void;
	/** Takes the dump; called once at most. */
	dump: (content: Readable) => Promise<void>;
	/** Takes a tar of the files; called when the first comes. A name that comes twice is for it to refuse. */
	files: (archive: Readable) => Promise<void>;
	/** Decompressed bytes so far. */
	onProgress: (bytes: number) => void;
}

export interface Unpacked {
	kind: 'archive' | 'dump';
	header: DumpHeader;
	metadata: PortableMetadata | undefined;
	dumpBytes: number;
	/** Undefined where the archive has no `tree/` at all. */
	files: {count: number; bytes: number} | undefined;
}

/** What a file takes on the disk at least, with its entry in a folder. */
const blockBytes = 4096;

/** @throws {UsageError} that says what is wrong with it, and nothing of it counts then */
export async function unpack(body: AsyncIterable<Uint8Array>, options: UnpackOptions): Promise<Unpacked> {
	const charge = createMeter(options);
	const {beginning, stream} = await peek(body, headerBytes);
	if (beginning.subarray(0, 2).toString('hex') !== '1f8b') {
		return bareDump(beginning, stream, options, charge);
	}

	const gunzip = createGunzip();
	// Its reader sees the failure of either.
	pipeline(stream, gunzip).catch(() => {});
	const inner = await peek(gunzip, headerBytes).catch(unreadable);
	return inner.beginning.subarray(0, 5).toString() === 'PGDMP'
		? bareDump(inner.beginning, inner.stream, options, charge)
		: fromTar(inner.stream, options, charge);
}

type Charge = (bytes: number) => void;

function createMeter({limitBytes, onProgress}: UnpackOptions): Charge {
	let total = 0;
	return bytes => {
		total += bytes;
		onProgress(total);
		if (total > limitBytes) {
			throw new UsageError(`it holds more than may be imported: ${limitBytes} bytes when decompressed`, {
				hint: 'make room where the engine keeps its volumes, or raise HOLDFAST_IMPORT_LIMIT',
			});
		}
	};
}

/** Counts what passes. */
async function* metered(content: AsyncIterable<Buffer>, charge: Charge): AsyncGenerator<Buffer> {
	for await (const chunk of content) {
		charge(chunk.length);
		yield chunk;
	}
}

async function bareDump(beginning: Buffer, stream: Readable, {dump, check}: UnpackOptions, charge: Charge): Promise<Unpacked> {
	const header = headerOf(beginning, 'it is neither a portable archive (`.tar.gz`) nor a dump');
	check(header);
	let dumpBytes = 0;
	const counted = metered(stream, bytes => {
		dumpBytes += bytes;
		charge(bytes);
	});
	await dump(Readable.from(counted, {objectMode: false, highWaterMark: 262_144}));
	return {kind: 'dump', header, metadata: undefined, dumpBytes, files: undefined};
}

function headerOf(beginning: Buffer, what: string): DumpHeader {
	try {
		return readDumpHeader(beginning);
	} catch (error) {
		throw new UsageError(`${what}: ${explain(error)}`, {hint: 'make it with `pg_dump -O -x -Fc`'});
	}
}

const unreadable = (error: unknown): never => {
	throw error instanceof UsageError ? error : new UsageError(`the archive cannot be read to its end: ${explain(error)}`, {cause: error});
};

async function fromTar(stream: Readable, options: UnpackOptions, charge: Charge): Promise<Unpacked> {
	const entries = extract();
	const piped = pipeline(metered(stream, charge), entries);
	piped.catch(() => {});
	const tree = createTree(options);
	const found: {header?: DumpHeader; metadata?: PortableMetadata; dumpBytes: number} = {dumpBytes: 0};
	try {
		for await (const entry of entries) {
			const content = entry as unknown as AsyncIterable<Buffer>;
			// It fails with the whole, whose failure is told.
			entry.on('error', () => {});
			const {name, isFolder} = checkedName(entry.header);
			const size = entry.header.size ?? 0;
			if (isFolder) {
				tree.folder(name);
				entry.resume();
			} else if (name === metadataName) {
				assertNew(found.metadata, name);
				found.metadata = await readMetadata(content, size);
			} else if (name === dumpName) {
				assertNew(found.header, name);
				const {beginning, stream: whole} = await peek(content, headerBytes);
				found.header = headerOf(beginning, `\`${dumpName}\``);
				options.check(found.header);
				found.dumpBytes = size;
				await options.dump(whole);
			} else {
				charge(blockBytes);
				await tree.file(name.slice(treeName.length), content, entry.header);
			}
		}

		await piped;
		const files = await tree.end();
		return {kind: 'archive', ...complete(found), dumpBytes: found.dumpBytes, files};
	} catch (error) {
		entries.destroy();
		// The reason that the files were refused for is better than that their stream is gone.
		return unreadable(await tree.abort(error));
	}
}

/** One rule for every entry: it is what the description says, or the archive is refused. */
function checkedName({name: raw, type}: Header): {name: string; isFolder: boolean} {
	const name = raw.replace(/^\.\//, '');
	const below = name.startsWith(treeName) ? name.slice(treeName.length) : undefined;
	if (type === 'directory') {
		const isKnown = ['', '.', 'db', 'db/', 'tree'].includes(name) || (below !== undefined && isTreeFolder(below));
		return isKnown ? {name, isFolder: true} : strange(raw, type);
	}

	const isKnown = name === metadataName || name === dumpName || (below !== undefined && isTreeFile(below));
	return type === 'file' && isKnown ? {name, isFolder: false} : strange(raw, type);
}

function strange(name: string, type: Header['type']): never {
	throw new UsageError(`the archive holds ${quote(name.slice(0, 200))} (${type ?? 'of an unknown type'}), which does not belong there`, {
		hint: `it may hold the files \`${metadataName}\`, \`${dumpName}\` and \`${treeName}xx/yy/UUID\`, and nothing else`,
	});
}

function assertNew(earlier: unknown, name: string): void {
	if (earlier !== undefined) {
		throw new UsageError(`the archive holds \`${name}\` twice`);
	}
}

async function readMetadata(entry: AsyncIterable<Uint8Array>, size: number): Promise<PortableMetadata> {
	if (size > metadataLimit) {
		throw new UsageError(`\`${metadataName}\` must have ${metadataLimit} bytes at most, and has ${size}`);
	}

	const chunks: Uint8Array[] = [];
	for await (const chunk of entry) {
		chunks.push(chunk);
	}

	try {
		return portableMetadata.parse(JSON.parse(Buffer.concat(chunks).toString()));
	} catch (error) {
		const keys = Object.keys(portableMetadata.shape).join(', ');
		throw new UsageError(`\`${metadataName}\` must be JSON with ${keys}, all of them texts`, {cause: error});
	}
}

function complete({header, metadata}: {header?: DumpHeader; metadata?: PortableMetadata}): Pick<Unpacked, 'header' | 'metadata'> {
	if (header === undefined || metadata === undefined) {
		throw new UsageError(`the archive has no \`${header === undefined ? dumpName : metadataName}\``, {
			hint: 'docs/archives.md says what a portable archive holds',
		});
	}

	return {header, metadata};
}

/** The files, as a tar of our own making that is begun with the first of them. */
function createTree({files}: UnpackOptions) {
	const archive = pack();
	archive.on('error', () => {});
	let taking: Promise<void> | undefined;
	let seen: {count: number; bytes: number} | undefined;
	const begin = () => {
		seen ??= {count: 0, bytes: 0};
		taking ??= files(archive as unknown as Readable).catch((error: unknown) => {
			archive.destroy(error as Error);
			throw error;
		});
		taking.catch(() => {});
		return seen;
	};

	return {
		folder(name: string): void {
			if (name.startsWith('tree')) {
				begin();
			}
		},
		async file(name: string, content: AsyncIterable<Uint8Array>, {size = 0, mtime}: Header): Promise<void> {
			const total = begin();
			total.count++;
			total.bytes += size;
			const entry = archive.entry({name, size, mode: 0o644, type: 'file', ...(mtime && {mtime})});
			await pipeline(content, entry as unknown as NodeJS.WritableStream);
		},
		async end() {
			archive.finalize();
			await taking;
			return seen;
		},
		async abort(error: unknown): Promise<unknown> {
			archive.destroy();
			const refused = await taking?.then(
				() => undefined,
				(reason: unknown) => reason,
			);
			return refused instanceof UsageError ? refused : error;
		},
	};
}
