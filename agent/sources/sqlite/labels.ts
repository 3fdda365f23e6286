/** What the label `sqlite` names: databases by their paths, patterns of such paths, or all that there are. */
import {listOf, type Reader} from '../../../base/reading/reader.ts';
import {readPath} from '../../../base/reading/values.ts';

export interface SqlitePolicy {
	/** Absolute, normalised paths in the container. */
	paths: readonly string[];
	/** Such paths in which `*`, `?`, `[…]` and, as a whole part, `**` stand for others. */
	patterns: readonly string[];
	/** Every database in the mounts. */
	all: boolean;
}

const special = /[*?[]/;

/** `\*`, `\?`, `\[` and, where there is one of these, `\\` stand for the character itself. */
const isPattern = (path: string): boolean => special.test(path.replaceAll(/\\[*?[\\]/g, ''));

const readPathOrPattern: Reader<string> = text => {
	const read = readPath(text);
	return 'value' in read && isPattern(read.value) && !read.value.split('/').every(isWellFormed)
		? {rule: 'must be paths or patterns whose `[` are closed within a name (`\\[` is the character itself)'}
		: read;
};

/** Each `[` has its `]`, and nothing is escaped at the end. */
const isWellFormed = (part: string): boolean => /^(?:[^\\[]|\\.|\[[!^]?[^\]]+\])*$/su.test(part);

const readList = listOf(readPathOrPattern);

export const readSqlite: Reader<SqlitePolicy> = text => {
	if (text === 'true') {
		return {value: {paths: [], patterns: [], all: true}};
	}

	const read = readList(text);
	if ('rule' in read) {
		return read;
	}

	const patterns = read.value.filter(isPattern);
	const paths = read.value
		.filter(path => !patterns.includes(path))
		.map(path => (special.test(path) ? path.replaceAll(/\\([*?[\]\\])/g, '$1') : path));
	return {value: {paths, patterns, all: false}};
};
