/** The custom format of pg_dump, by its first bytes: which versions of pg_restore read it. */
import type {Readable} from 'node:stream';
import {lastLines} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {linesOf} from '../../../base/lines.ts';
import type {ManifestSource} from '../../repository/manifest.ts';
import type {Restic} from '../../restic/restic.ts';
import type {PostgresServer} from './server.ts';

export interface ArchiveVersion {
	major: number;
	minor: number;
}

const magic = 'PGDMP';
const headBytes = magic.length + 2;

/** @throws when it is no dump in custom format */
export function archiveVersionOf(head: Buffer): ArchiveVersion {
	if (head.length < headBytes || head.subarray(0, magic.length).toString('latin1') !== magic) {
		throw new RunError('it is no dump in custom format');
	}

	return {major: head.readUInt8(magic.length), minor: head.readUInt8(magic.length + 1)};
}

/** The newest version 1.x that a major version of pg_restore reads; pg_dump of the same major writes it. `K_VERS_…` in its source. */
const newestMinor: ReadonlyArray<{from: number; minor: number}> = [
	{from: 17, minor: 16},
	{from: 16, minor: 15},
	{from: 12, minor: 14},
	{from: 0, minor: 13},
];

/** The last major whose own version is in the list above; a later one may read more. */
const lastKnownMajor = 18;

const readableMinor = (major: number): number => newestMinor.find(({from}) => major >= from)?.minor ?? 0;

/** Names both versions; undefined where the archive can be read. @param tool what `pg_restore --version` prints */
export function archiveProblem({major, minor}: ArchiveVersion, tool: string): string | undefined {
	const toolVersion = /\(PostgreSQL\) (\d+)[^\s]*/.exec(tool);
	const toolMajor = Number(toolVersion?.[1] ?? Number.POSITIVE_INFINITY);
	if (major === 1 && (toolMajor > lastKnownMajor || minor <= readableMinor(toolMajor))) {
		return undefined;
	}

	return `the dump is an archive of version ${major}.${minor}, and the container's ${toolVersion?.[0].replace('(PostgreSQL)', 'pg_restore') ?? 'pg_restore'} reads those up to 1.${readableMinor(toolMajor)}`;
}

/** Reads the beginning of a dump in the repository. A snapshot never changes, so each is asked for once. */
export function createArchiveReader() {
	const known = new Map<string, ArchiveVersion>();
	return async (restic: Restic, {snapshot, path}: Pick<ManifestSource, 'snapshot' | 'path'>): Promise<ArchiveVersion> => {
		const version = known.get(snapshot) ?? archiveVersionOf(await readHead(restic, snapshot, path));
		known.set(snapshot, version);
		return version;
	};
}

async function readHead(restic: Restic, snapshot: string, path: string): Promise<Buffer> {
	const dumping = await restic.peek(snapshot, path);
	const head = await firstBytes(dumping.stdout);
	if (head.length < headBytes) {
		// It ended early: why, is in its exit.
		await dumping.done;
	}

	dumping.done.catch(() => {});
	await dumping.kill();
	return head;
}

async function firstBytes(stream: Readable): Promise<Buffer> {
	let head = Buffer.alloc(0);
	for await (const chunk of stream) {
		head = Buffer.concat([head, chunk as Buffer]);
		if (head.length >= headBytes) {
			break;
		}
	}

	return head;
}

interface Listed {
	restic: Restic;
	server: Pick<PostgresServer, 'client' | 'hasShell'>;
	stored: Pick<ManifestSource, 'snapshot' | 'path'>;
	signal: AbortSignal;
}

/** What stands behind the list: a line that pg_restore never prints. */
const endOfList = '; holdfast has the list';

/**
 * Takes what pg_restore leaves of its input, until there is no more. A socket that is closed while something is still unread in it is reset, and
 * then the end of the list is an error to its reader. `read ECONNRESET` was seen once here; that this was why is likely, not proven.
 */
const listScript = `pg_restore --list; code=$?; echo '${endOfList}'; cat >/dev/null; exit "$code"`;

/**
 * Each line of the table of contents, as `pg_restore --list` prints it. Only the beginning of the dump is read.
 *
 * @throws when pg_restore cannot read it
 */
export async function eachEntry({restic, server: {client, hasShell}, stored, signal}: Listed, read: (line: string) => void): Promise<void> {
	const listing = await client({argv: hasShell ? ['sh', '-c', listScript] : ['pg_restore', '--list'], stdin: true, signal});
	const dumping = await restic.peek(stored.snapshot, stored.path, signal);
	dumping.stdout.on('error', () => listing.stdin.end());
	dumping.stdout.pipe(listing.stdin);
	try {
		for await (const line of linesOf(listing.stdout)) {
			if (line === endOfList) {
				break;
			}

			read(line);
		}
	} finally {
		// The reader leaves when it knows enough. What it left must be taken away before any end is waited for: an engine handles ends in turn, and
		// that of a restic which wrote everything comes only when its output was read (measured with 20.10 and a dump of 3 MB).
		dumping.stdout.unpipe(listing.stdin).resume();
		listing.stdin.end();
		listing.stdout.resume();
		dumping.done.catch(() => {});
		await dumping.kill();
	}

	const {exitCode, stderr} = await listing.done;
	if (exitCode !== 0) {
		throw new RunError(`the table of contents cannot be read: ${lastLines(stderr)}`);
	}
}
