/** How a server was started: its command line and its configuration, as far as they can be found without asking it. */
import {basename} from 'node:path/posix';
import {configWords, type Expanding, shellWords} from './words.ts';

export interface Settings {
	/** The last that is said; undefined where nothing is. */
	value: (name: string) => string | undefined;
	/** What a command is called: `rename-command` may give it another name, or none (`''`). */
	command: (name: string) => string;
	/** Of this user, in the order in which they are said. */
	passwordsOf: (user: string) => string[];
}

/** Where images keep it, when the command line names none. */
const usualFiles = [
	'/etc/valkey/valkey.conf',
	'/etc/redis/redis.conf',
	'/usr/local/etc/valkey/valkey.conf',
	'/usr/local/etc/redis/redis.conf',
	'/opt/bitnami/valkey/etc/valkey.conf',
	'/opt/bitnami/redis/etc/redis.conf',
	'/redis.conf',
];

/** Arguments that images add. */
const extraVariables = ['VALKEY_EXTRA_FLAGS', 'REDIS_EXTRA_FLAGS', 'VALKEY_ARGS', 'REDIS_ARGS'];

const server = /^(?:valkey|redis)-server$/;

/** The arguments of the server: without the entry script, and of a line for a shell what follows the server's name. */
export async function argumentsOf(argv: readonly string[], expanding: Expanding): Promise<string[]> {
	const words: string[] = [];
	for (const [index, argument] of argv.entries()) {
		words.push(...(/^-\w*c$/.test(argv[index - 1] ?? '') ? await shellWords(argument, expanding) : [argument]));
	}

	const at = words.findIndex(word => server.test(basename(word)));
	const own = at === -1 ? words.slice(1) : words.slice(at + 1);
	const end = at === -1 ? -1 : own.findIndex(word => /^[;&|<>]+$/.test(word));
	const extra = extraVariables.flatMap(name => expanding.env[name]?.split(/\s+/).filter(Boolean) ?? []);
	return [...(end === -1 ? own : own.slice(0, end)), ...extra];
}

/** Files that may be the configuration: the first that is there is it. */
export function configFiles(words: readonly string[]): string[] {
	const named = words.find(word => word.endsWith('.conf') && !word.startsWith('-'));
	return named === undefined ? usualFiles : [named];
}

/** @param files contents, each before what it is overridden by */
export function settingsOf(words: readonly string[], files: readonly string[]): Settings {
	const lines = [...files.flatMap(file => file.split('\n')).map(configWords), ...optionsOf(words)].filter(
		([name]) => name !== undefined && !name.startsWith('#'),
	);
	const all = (name: string) => lines.filter(([known = '']) => known.toLowerCase() === name).map(([, ...values]) => values);
	return {
		value: name => all(name).at(-1)?.join(' '),
		command: name => all('rename-command').findLast(([known = '']) => known.toUpperCase() === name)?.[1] ?? name,
		passwordsOf: user => [
			...(user === 'default' ? all('requirepass').flatMap(([password]) => password || []) : []),
			...all('user')
				.filter(([name]) => name === user)
				.flatMap(([, ...rules]) => rules.filter(rule => rule.startsWith('>')).map(rule => rule.slice(1))),
		],
	};
}

/** `--name value …`, as lines of a configuration. */
function optionsOf(words: readonly string[]): string[][] {
	const options: string[][] = [];
	for (const word of words) {
		if (word.startsWith('--')) {
			options.push([word.slice(2)]);
		} else {
			options.at(-1)?.push(word);
		}
	}

	return options;
}
