/** A command in a label → argv. No shell ever sees it. */
import {isWhole, type Reader, readJsonList} from './reader.ts';

/** What only a shell would understand. */
const operators = new Set(['|', '||', '&', '&&', ';', '<', '>', '>>', '2>', '2>&1', '<<']);

/** A JSON array of strings, or words split at spaces; single and double quotes keep spaces, and nothing else is special. */
export const readArgv: Reader<readonly [string, ...string[]]> = text => {
	const words = text.trimStart().startsWith('[') ? readJsonList(text) : splitWords(text);
	if ('rule' in words) {
		return words;
	}

	const [program = '', ...rest] = words.value;
	return program === '' || !words.value.every(isWhole)
		? {rule: 'must be a program and its arguments, without NUL'}
		: {value: [program, ...rest]};
};

const word = /(?:'[^']*'|"[^"]*"|[^\s'"]+)+/y;

const splitWords: Reader<string[]> = text => {
	const words: string[] = [];
	const source = text.trim();
	for (let at = 0; at < source.length; ) {
		word.lastIndex = at;
		const [raw] = word.exec(source) ?? [];
		if (raw === undefined || !/^(?:\s|$)/.test(source.slice(at + raw.length, at + raw.length + 1))) {
			return {rule: 'must close its quotes'};
		}

		if (operators.has(raw)) {
			return {rule: 'is run without a shell: give `["sh", "-c", "…"]` if it needs one', got: raw};
		}

		words.push(raw.replace(/'([^']*)'|"([^"]*)"/g, (_, single?: string, double?: string) => single ?? double ?? ''));
		at += raw.length;
		at += /^\s*/.exec(source.slice(at))?.[0].length ?? 0;
	}

	return {value: words};
};
