/** One reader for each shape of value in docs/labels.md. */
import {normalize} from 'node:path/posix';
import {listOf, matching, oneOf, type Reader} from './reader.ts';

/** Of a group, a configured copy, a secret. */
export const readName = matching(
	/^[a-zA-Z0-9][a-zA-Z0-9._-]*$/,
	'must be a name of letters, digits, `.`, `_` and `-` that starts with a letter or a digit',
);

export const readNames = listOf(readName);

/** As `docker exec --user` takes it. */
export const readContainerUser = matching(/^[^\s:\0]+(?::[^\s:\0]+)?$/, 'must be a user: `name`, `uid` or `uid:gid`');

export const readHost = matching(/^[a-zA-Z0-9_:[][a-zA-Z0-9_.:%\]-]*$/, 'must be a host name or an address');

export const readPort: Reader<number> = text => {
	const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
	return port >= 1 && port <= 65_535 ? {value: port} : {rule: 'must be a port from 1 to 65535'};
};

/** In the container: absolute, and the same in whatever way it was written. */
export const readPath: Reader<string> = text => {
	const rule = 'must be absolute paths in the container, without `..`';
	if (!text.startsWith('/') || text.split('/').includes('..')) {
		return {rule};
	}

	const path = normalize(text).replace(/^\/\//, '/').replace(/\/$/, '');
	return path === '' ? {rule: 'must not be the whole file system'} : {value: path};
};

export const readPaths = listOf(readPath);

const readVolume: Reader<string> = text => {
	if (text.startsWith('/')) {
		return readPath(text);
	}

	return /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(text)
		? {value: text}
		: {rule: 'must be `true`, `false`, or paths of mounts and names of volumes'};
};

const wordsOf =
	<Word, Item>(words: Readonly<Record<string, Word>>, readList: Reader<Item>): Reader<Word | Item> =>
	text => {
		const word = Object.hasOwn(words, text) ? words[text] : undefined;
		return word === undefined ? readList(text) : {value: word};
	};

export const readVolumes = wordsOf({true: true, false: false}, listOf(readVolume));

const readDatabase: Reader<string> = text => (text === '' ? {rule: 'must be `true`, `false`, or names of databases'} : {value: text});

/** `none`, or names. */
export const readCopies = wordsOf({none: []}, readNames);

/** Names of databases. */
export const readDatabaseNames = listOf<string>(text => (text === '' ? {rule: 'must be names of databases'} : {value: text}));

/** As `docker run` takes it. */
export const readImage = matching(/^[a-zA-Z0-9][a-zA-Z0-9._:/@-]*$/, 'must be the name of an image');

/** A JSON array can name databases that are called `true`, or that hold commas. */
export const readDatabases = wordsOf({true: 'all', false: 'none'} as const, listOf(readDatabase));

/** What restic's patterns are made of: characters, escaped ones, and classes that end. */
const wellFormedPattern = /^(?:[^\\[]|\\.|\[\^?(?:(?:[^\\\]-]|\\.)(?:-(?:[^\\\]-]|\\.))?)+\])*$/su;

const readPattern: Reader<string> = text => {
	if (text.replaceAll('/', '') === '' || text.split('/').includes('..')) {
		return {rule: 'must be patterns relative to the mount, without `..`'};
	}

	if (text.startsWith('!')) {
		return {rule: 'must be patterns of what is left out: `!` has no meaning, write `\\!` for a name that starts with it'};
	}

	return wellFormedPattern.test(text) ? {value: text} : {rule: 'must be patterns whose `[` are closed and that do not end with `\\`'};
};

export const readPatterns = listOf(readPattern);

const units = {s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000} as const;
const longestDuration = 7 * units.d;

/** In milliseconds. */
export const readDuration: Reader<number> = text => {
	const [, count = '', unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
	const duration = Number(count) * (units[unit as keyof typeof units] ?? 0);
	return duration > 0 && duration <= longestDuration
		? {value: duration}
		: {rule: 'must be a duration such as `30s`, `5m`, `1h` or `1d`, at most `7d`'};
};

const bytesOf: Readonly<Record<string, number>> = {
	B: 1,
	...Object.fromEntries(['k', 'M', 'G', 'T'].map((letter, index) => [`${letter}B`, 1000 ** (index + 1)])),
	...Object.fromEntries(['Ki', 'Mi', 'Gi', 'Ti'].map((letters, index) => [`${letters}B`, 1024 ** (index + 1)])),
};

/** In bytes. */
export const readSize: Reader<number> = text => {
	const [, count = '', unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)([kMGT]?i?B)$/.exec(text) ?? [];
	const bytes = Number(count) * (bytesOf[unit] ?? Number.NaN);
	return count !== '' && Number.isFinite(bytes) ? {value: Math.round(bytes)} : {rule: 'must be a size such as `500MB`, `2.25GiB` or `0B`'};
};

export const counts = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
export const keepRule = `must be a list such as \`last=3,daily=7,within=30d\`: ${counts.join(', ')} with a number from 1 to 99999, or within with a period such as \`30d\` or \`1y6m\``;

/** As restic spells it. */
export const isPeriod = (text: string) =>
	text !== '' && /^(?:[1-9]\d{0,4}y)?(?:[1-9]\d{0,4}m)?(?:[1-9]\d{0,4}d)?(?:[1-9]\d{0,4}h)?$/.test(text);

export const readFormat = oneOf('custom', 'plain', 'all');
export const readQuiesce = oneOf('none', 'pause', 'stop', 'snapshot');
export const readOnError = oneOf('fail', 'continue');

export const readEnable = oneOf('true', 'false');

export const dialectNames = ['offen', 'stack-back', 'nautical'] as const;
/** Programs whose labels are understood. */
export type DialectName = (typeof dialectNames)[number];
export const readDialects = listOf(oneOf(...dialectNames));
