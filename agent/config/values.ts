/** One reader for each shape of value in the environment. */
import {findTimeZone} from '../../base/clock.ts';
import {listOf, matching, type Reader} from '../../base/reading/reader.ts';

export interface Listen {
	/** Undefined: every address. */
	host: string | undefined;
	port: number;
}

export const readHost = matching(/^[a-z0-9][a-z0-9._-]{0,252}$/i, 'must be a host name (letters, digits, `.`, `_`, `-`)');
export const readProject = matching(/^[a-z0-9][a-z0-9_-]*$/, 'must be names of Compose projects, separated by commas');
/** Whoever says so means no project of that name: nothing would be protected. */
const switches = ['yes', 'no', 'on', 'off', 'y', 'n', '1', '0', 'true', 'false', 'all', 'none'];

/** `*`: everything. */
export const readAuto: Reader<readonly string[]> = text =>
	text === 'true'
		? {value: ['*']}
		: text === 'false'
			? {value: []}
			: switches.includes(text.toLowerCase())
				? {rule: 'must be `true`, `false` or names of Compose projects'}
				: listOf(readProject)(text);

export const readLabelPrefix = matching(
	/^[a-z0-9]+(?:[.-][a-z0-9]+)*\.$/,
	'must be lower-case words with a dot at the end, as `holdfast.`',
);
export const readImage = matching(/^[a-z0-9][\w./:@-]*$/i, 'must be the name of an image');
export const readContainer = matching(/^[a-z0-9][\w.-]*$/i, 'must be the name or the id of a container');
export const readUrl = matching(/^https?:\/\/[^\s@]+$/, 'must be an address such as `http://holdfast:9797`');

export const readApiToken = matching(/^[!-~]{8,}$/, 'must be at least 8 visible ASCII characters, without spaces');
export const readLocation = matching(
	/^(?:\/|(?:local:\/|rest:|s3:|b2:|azure:|gs:|swift:|rclone:|sftp:).)/,
	'must be an absolute path, or a location that restic knows (`s3:…`, `rest:…`, `sftp:…`, `b2:…`, `azure:…`, `gs:…`, `swift:…`, `rclone:…`)',
);

export const readConcurrency: Reader<number> = text => {
	const count = /^\d{1,2}$/.test(text) ? Number(text) : 0;
	return count >= 1 && count <= 32 ? {value: count} : {rule: 'must be a whole number from 1 to 32'};
};

/** As restic counts them. */
export const readParts: Reader<number> = text => {
	const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
	return count >= 1 && count <= 256 ? {value: count} : {rule: 'must be a whole number from 1 to 256'};
};

/** A share, of 1. */
export const readShare: Reader<number> = text => {
	const [, percent] = /^(\d{1,3})%$/.exec(text) ?? [];
	const share = Number(percent) / 100;
	return share > 0 && share <= 1 ? {value: share} : {rule: 'must be a share from `1%` to `100%`'};
};

const off = 'off';

export const orOff =
	<Value>(read: Reader<Value>): Reader<Value | 'off'> =>
	text =>
		text === off ? {value: off} : read(text);

export const unlessOff = (value: string): string | undefined => (value === off ? undefined : value);

export const readTimeZone: Reader<string> = text => {
	try {
		return {value: findTimeZone(text)};
	} catch {
		return {rule: 'must be a time zone such as `Europe/Berlin` or `UTC`'};
	}
};

const isPort = (text: string | undefined) => /^\d{1,5}$/.test(text ?? '') && Number(text) >= 1 && Number(text) <= 65_535;

export const readListen: Reader<Listen> = text => {
	const [, bracketed, plain, port] = /^(?:\[([0-9a-f:.]+)\]|([\w.-]+))?:(\d+)$/i.exec(text) ?? [];
	return isPort(port)
		? {value: {host: bracketed ?? plain, port: Number(port)}}
		: {rule: 'must be `:port` or `address:port` with a port from 1 to 65535'};
};

export const readEngineAddress: Reader<string> = text => {
	const [, port] = /^tcp:\/\/(?:\[[\da-fA-F:.]+\]|[\w.-]+):(\d+)$/.exec(text) ?? [];
	return isPort(port) || /^(?:unix:\/\/)?\/[^\0]*[^/\0]$/.test(text)
		? {value: text}
		: {rule: 'must be `unix:///path`, `/path` or `tcp://host:port`'};
};

const unlimited = 'unlimited';

/** 0: unlimited. */
export const orUnlimited =
	(read: Reader<number>): Reader<number> =>
	text =>
		text === unlimited ? {value: 0} : read(text);

export const readCpus: Reader<number> = text => {
	const count = /^\d{1,4}(?:\.\d{1,3})?$/.test(text) ? Number(text) : 0;
	return count > 0 ? {value: count} : {rule: 'must be a number of processors, as `0.5` or `2`'};
};

/** KiB a second, as restic counts them. */
export const readLimit: Reader<number> = limit =>
	/^[1-9]\d{0,8}$/.test(limit) ? {value: Number(limit)} : {rule: 'must be a whole number of KiB a second'};
