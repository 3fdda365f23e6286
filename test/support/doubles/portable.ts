/** Portable archives and dumps of a test's own making, well-formed or not. */
import {buffer} from 'node:stream/consumers';
import {gzipSync} from 'node:zlib';
import {type Header, pack} from 'tar-stream';

const integer = (value: number): Buffer =>
	Buffer.from([value < 0 ? 1 : 0, ...[0, 8, 16, 24].map(shift => (Math.abs(value) >> shift) & 255)]);

const text = (value: string): Buffer => Buffer.concat([integer(Buffer.byteLength(value)), Buffer.from(value)]);

/** The beginning of what pg_dump writes in custom format, and some bytes after it. */
export function dump({minor = 14, format = 1, database = 'app', server = '15.4 (Debian 15.4-1)', bytes = 100_000} = {}): Buffer {
	const header = Buffer.concat([
		Buffer.from('PGDMP'),
		Buffer.from([1, minor, 0, 4, 8, format]),
		minor >= 15 ? Buffer.from([1]) : integer(-1),
		...[5, 4, 3, 2, 10, 126, 0].map(integer),
		text(database),
		text(server),
		text('15.4'),
	]);
	return Buffer.concat([header, Buffer.alloc(bytes, 'content')]);
}

export const metadata = {duration: '12', dumpSize: '100', modelVersion: '1.2.3', databaseSize: '1000', filesSize: '10'};

export const uuid = '0d3e301f-1c2b-4d5e-8f90-a1b2c3d4e5f6';

export type Entry = Partial<Header> & {name: string; content?: string | Buffer};

export const good: readonly Entry[] = [
	{name: '.metadata', content: JSON.stringify(metadata)},
	{name: 'db/', type: 'directory'},
	{name: 'db/db.backup', content: dump()},
	{name: 'tree/', type: 'directory'},
	{name: `tree/0d/3e/${uuid}`, content: 'first'},
];

export async function tar(entries: readonly Entry[]): Promise<Buffer> {
	const archive = pack();
	for (const {content = '', ...header} of entries) {
		archive.entry(header as Header, content);
	}

	archive.finalize();
	return buffer(archive);
}

export const archive = async (entries: readonly Entry[] = good): Promise<Buffer> => gzipSync(await tar(entries));
