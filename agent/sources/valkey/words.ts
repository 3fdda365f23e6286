/** Words of command lines and of configuration files, as far as they must be understood to find out how a server was started. */

export interface Expanding {
	env: Readonly<Record<string, string>>;
	/** A file of the container. */
	read: (path: string) => Promise<string>;
}

/** A variable, or what `cat` prints of a file: what people write into commands for passwords. */
const expansion =
	/\\(.)|\$\{(\w+)(?::?-[^}]*)?\}|\$(\w+)|\$\(\s*(?:cat\s+|<\s*)["']?([^\s"')]+)["']?\s*\)|`\s*cat\s+["']?([^\s"'`]+)["']?\s*`/gs;

const piece = /'([^']*)'|"((?:[^"\\]|\\.)*)"|((?:\\.|\$\([^)]*\)|`[^`]*`|[^\s"'\\;&|<>])+)|([;&|<>]+)|(\s+)/gs;

/** The words of a line for `sh`. What it cannot be known to mean stays as it is written. */
export async function shellWords(line: string, expanding: Expanding): Promise<string[]> {
	const words: string[] = [];
	let word: string | undefined;
	for (const [, literal, quoted, bare, separator] of line.matchAll(piece)) {
		if (literal === undefined && quoted === undefined && bare === undefined) {
			words.push(...(word === undefined ? [] : [word]), ...(separator === undefined ? [] : [separator]));
			word = undefined;
		} else {
			word = (word ?? '') + (literal ?? (await expand(quoted ?? bare ?? '', expanding)));
		}
	}

	return word === undefined ? words : [...words, word];
}

async function expand(text: string, {env, read}: Expanding): Promise<string> {
	let expanded = '';
	let end = 0;
	for (const match of text.matchAll(expansion)) {
		const [all, escaped, braced, plain, file, ticked] = match;
		const variable = braced ?? plain;
		const path = file ?? ticked;
		const value =
			escaped ??
			(variable === undefined
				? path === undefined
					? all
					: (await read(path).catch(() => all)).replace(/\r?\n$/, '')
				: (env[variable] ?? ''));
		expanded += text.slice(end, match.index) + value;
		end = match.index + all.length;
	}

	return expanded + text.slice(end);
}

const escapes: Readonly<Record<string, string>> = {n: '\n', r: '\r', t: '\t', b: '\b', a: '\u0007'};

/** The words of a line of a server's configuration, which has quotes and escapes of its own. */
export const configWords = (line: string): string[] =>
	[...line.matchAll(/"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(\S+)/gs)].map(
		([, double, single, bare]) =>
			double?.replaceAll(/\\(?:x([\da-fA-F]{2})|(.))/gs, (_, hex?: string, letter?: string) =>
				hex === undefined ? (escapes[letter ?? ''] ?? letter ?? '') : String.fromCharCode(Number.parseInt(hex, 16)),
			) ??
			single?.replaceAll("\\'", "'") ??
			bare ??
			'',
	);

/** For a line that a client program reads: nothing in it means anything. */
export const quoteWord = (word: string): string =>
	`"${[...Buffer.from(word)].map(byte => (/[\w.:/-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`)).join('')}"`;
