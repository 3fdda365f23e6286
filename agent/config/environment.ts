/** Reads variables, each secret also from the file that `NAME_FILE` names, and collects every mistake. */

import type {Problem} from '../../base/problem.ts';
import {quote} from '../../base/reading/quote.ts';
import type {Reader} from '../../base/reading/reader.ts';
export type Variables = Readonly<Record<string, string | undefined>>;

export interface Environment {
	/** Undefined when it is not set, or empty: Compose passes `${UNSET:-}` as an empty text. */
	text: (name: string) => string | undefined;
	/** Undefined also when the text breaks the reader's rule, which is then a problem. */
	value: <Value>(name: string, reader: Reader<Value>) => Value | undefined;
	/** Never undefined where somebody meant to give one: an empty secret, or a file that cannot be read, is a problem and ''. */
	secret: (name: string, reader?: Reader<string>) => string | undefined;
	problem: (message: string, hint?: string) => void;
	readonly problems: readonly Problem[];
}

/** @param options.fileSuffix what the name of a secret is followed by where its file is named. */
export function createEnvironment(
	variables: Variables,
	readFile: (path: string) => string,
	{fileSuffix = '_FILE'}: {fileSuffix?: string} = {},
): Environment {
	const problems: Problem[] = [];
	const problem = (message: string, hint?: string) => {
		problems.push({message, hint});
	};

	const fromFile = (name: string, path: string): string => {
		try {
			// Trimmed as restic trims a password file, so that the same file opens the repository without Holdfast
			const content = readFile(path).trim();
			if (content === '') {
				problem(`\`${name}${fileSuffix}\` must name a file with the secret in it, and ${quote(path)} is empty`);
			}

			return content;
		} catch (error) {
			problem(
				`\`${name}${fileSuffix}\` must name a file that can be read, got ${quote(path)}: ${(error as NodeJS.ErrnoException).code ?? 'unreadable'}`,
				'mount the secret into this container, or correct the path',
			);
			return '';
		}
	};

	const given = (name: string): string | undefined => {
		const [text, path] = [variables[name], variables[`${name}${fileSuffix}`]];
		if (text !== undefined && path !== undefined) {
			problem(`\`${name}\` and \`${name}${fileSuffix}\` are both set`, 'remove one of them');
			return '';
		}

		if (text === '') {
			problem(`\`${name}\` is set and empty`, 'give it a value, or remove it');
		}

		return path === undefined ? text : fromFile(name, path);
	};

	return {
		text: name => variables[name] || undefined,
		value(name, reader) {
			const text = variables[name];
			const read = text ? reader(text) : undefined;
			if (read && 'rule' in read) {
				problem(`\`${name}\` ${read.rule}, got ${quote(withoutCredentials(read.got ?? text ?? ''))}`);
				return undefined;
			}

			return read?.value;
		},
		secret(name, reader = text => ({value: text})) {
			const text = given(name);
			const read = text ? reader(text) : undefined;
			if (read && 'rule' in read) {
				problem(`\`${name}\` ${read.rule}; its value is not shown here`);
			}

			return text;
		},
		problem,
		problems,
	};
}

const withoutCredentials = (text: string) => text.replaceAll(/\/\/[^/@]*@/g, '//***@');
