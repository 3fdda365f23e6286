/** Readers: from the text of a label to its value, or to the rule that the text breaks. */

interface Broken {
	/** Completes "`holdfast.label` …": `must be a number from 1 to 65535`. */
	rule: string;
	/** The part of the text that breaks it, when it is not all of it. */
	got?: string;
}

export type Read<Value> = {value: Value} | Broken;
export type Reader<Value> = (text: string) => Read<Value>;

/** A text that a command line and a file system can carry: NUL would end it, a lone surrogate would become another character. */
export const isWhole = (text: string): boolean => !text.includes('\0') && text.isWellFormed();

export const nonEmptyText: Reader<string> = text =>
	text.trim() === '' || !isWhole(text) ? {rule: 'must be a text that is not empty, without NUL'} : {value: text};

export const matching =
	(pattern: RegExp, rule: string): Reader<string> =>
	text =>
		pattern.test(text) ? {value: text} : {rule};

export const oneOf =
	<Word extends string>(...words: readonly Word[]): Reader<Word> =>
	text => {
		const word = words.find(candidate => candidate === text);
		return word === undefined ? {rule: `must be ${words.map(candidate => `\`${candidate}\``).join(' or ')}`} : {value: word};
	};

/**
 * Items separated by commas, spaces around them ignored; or, where an item holds a comma, a line break or spaces of its own, a
 * JSON array of strings: a value that starts with `[` is always read as one.
 */
export const listOf =
	<Item>(readItem: Reader<Item>): Reader<Item[]> =>
	text => {
		const parts = splitList(text);
		if ('rule' in parts) {
			return parts;
		}

		const items: Item[] = [];
		for (const part of parts.value) {
			const item = isWhole(part) ? readItem(part) : {rule: 'must not contain NUL or half characters'};
			if ('rule' in item) {
				return {rule: item.rule, got: item.got ?? part};
			}

			if (items.includes(item.value)) {
				return {rule: 'must not name anything twice', got: part};
			}

			items.push(item.value);
		}

		return {value: items};
	};

function splitList(text: string): Read<string[]> {
	if (text.trimStart().startsWith('[')) {
		return readJsonList(text);
	}

	const items = text
		.trim()
		.split(',')
		.map(item => item.trim());
	if (items.includes('')) {
		return {rule: 'must be items separated by commas, none of them empty'};
	}

	return /[\r\n]/.test(text.trim())
		? {rule: 'must be on one line; an item with a line break can be given in a JSON array'}
		: {value: items};
}

/** A JSON array of strings, at least one. */
export const readJsonList: Reader<string[]> = text => {
	const rule = 'must be a JSON array of strings, at least one, as it starts with `[`';
	try {
		const items: unknown = JSON.parse(text);
		return Array.isArray(items) && items.length > 0 && items.every(item => typeof item === 'string') ? {value: items} : {rule};
	} catch {
		return {rule};
	}
};
