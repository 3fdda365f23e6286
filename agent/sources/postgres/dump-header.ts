/** The beginning of a dump in PostgreSQL's custom format: what it is, before any program reads it. */

export interface DumpHeader {
	/** Of the archive format: `1.14`. */
	version: {major: number; minor: number};
	/** As the dumping server's clock and zone had it; undefined where it makes no sense. */
	createdAt: Date | undefined;
	/** The database that was dumped. */
	database: string;
	/** Of the dumped server, as it says it: `17.2 (Debian 17.2-1)`. */
	serverVersion: string;
	toolVersion: string;
}

/** The header is far shorter: three texts and a few numbers. */
export const headerBytes = 16 * 1024;

const magic = 'PGDMP';
const customFormat = 1;

/** @param beginning of the file: `headerBytes` of it, or all that there is @throws with what it is instead */
export function readDumpHeader(beginning: Buffer): DumpHeader {
	if (beginning.subarray(0, magic.length).toString('latin1') !== magic) {
		throw new Error(`it is not a dump in custom format, which begins with ${magic}; this begins with ${shown(beginning)}`);
	}

	const reader = createReader(beginning.subarray(magic.length));
	const [major, minor] = [reader.byte(), reader.byte()];
	reader.byte();
	const [integerBytes] = [reader.byte(), reader.byte()];
	if (reader.byte() !== customFormat) {
		throw new Error('it is a dump of PostgreSQL, but not one in custom format');
	}

	const integer = () => reader.integer(integerBytes);
	// From 1.15 on it is the name of a method, as one byte.
	minor >= 15 ? reader.byte() : integer();
	const [second = 0, minute = 0, hour = 0, day = 0, month = 0, year = 0] = Array.from({length: 6}, integer);
	integer();
	const string = () => reader.text(integer());
	const createdAt = new Date(year + 1900, month, day, hour, minute, second);
	const [database, serverVersion, toolVersion] = [string(), string(), string()];
	return {
		version: {major, minor},
		createdAt: Number.isNaN(createdAt.getTime()) ? undefined : createdAt,
		database,
		serverVersion,
		toolVersion,
	};
}

const shown = (content: Buffer): string =>
	content.length === 0 ? 'nothing: it is empty' : JSON.stringify(content.subarray(0, 16).toString('latin1'));

function createReader(content: Buffer) {
	let at = 0;
	const take = (bytes: number): Buffer => {
		if (!Number.isInteger(bytes) || bytes < 0 || at + bytes > content.length) {
			throw new Error('it begins like a dump in custom format, and breaks off or goes on with nonsense');
		}

		at += bytes;
		return content.subarray(at - bytes, at);
	};

	const byte = (): number => take(1)[0] ?? 0;
	return {
		byte,
		/** A sign, then the bytes, the lowest first. */
		integer(bytes: number): number {
			const sign = byte() === 0 ? 1 : -1;
			return sign * take(bytes > 6 ? -1 : bytes).reduce((sum, value, index) => sum + value * 256 ** index, 0);
		},
		/** -1 stands for none. */
		text: (bytes: number): string => (bytes === -1 ? '' : take(bytes).toString()),
	};
}

/** 170002 of `17.2`, 90603 of `9.6.3`; undefined where it is none. */
export function versionNumber(version: string): number | undefined {
	const [, major, minor = '0', patch = '0'] = /^(\d{1,2})(?:\.(\d{1,2}))?(?:\.(\d{1,2}))?/.exec(version) ?? [];
	if (major === undefined) {
		return undefined;
	}

	return Number(major) >= 10 ? Number(major) * 10_000 + Number(minor) : Number(major) * 10_000 + Number(minor) * 100 + Number(patch);
}
