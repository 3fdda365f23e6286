/**
 * `/etc/holdfast/config.yml`: what has structure, and so no room in a variable. docs/configuration.md describes it.
 *
 * To add a section: write its schema in a file of its own (`copies.ts` is one), whose leaves are `text(reader)` with the readers
 * of labels and variables (`base/reading/values.ts`, `base/reading/reader.ts`); name it in the table `sections` below; and make of it what
 * `Config` needs in `config.ts`, with `environment.problem` for what only the whole shows. Unknown keys, missing ones and their messages
 * come by themselves.
 *
 * Every scalar of the file is a text, as in labels and variables: `0123` stays `0123`, `yes` stays `yes`. A section without content is
 * one that is not there.
 */
import {createRequire} from 'node:module';
import * as z from 'zod';
import {quote} from '../../base/reading/quote.ts';
import {mistakesOf} from '../../base/reading/structure.ts';
import {agentsSection} from './agents.ts';
import {copiesSection} from './copies.ts';
import type {Environment} from './environment.ts';
import {slackSection} from './slack.ts';

const sections = {
	copies: copiesSection.optional(),
	slack: slackSection.optional(),
	agents: agentsSection.optional(),
};

const schema = z.strictObject(sections);

export type ConfigFile = z.output<typeof schema>;

const usualPath = '/etc/holdfast/config.yml';

export interface ReadConfigFile {
	/** Of `HOLDFAST_CONFIG`; undefined: the usual one, which need not be there. */
	path: string | undefined;
	/** Every mistake is reported here. */
	environment: Environment;
	/** @throws when it cannot be read. */
	readFile: (path: string) => string;
}

/** The file's sections, and its path for further messages. Empty when there is no file, or one with mistakes. */
export function readConfigFile({path, environment, readFile}: ReadConfigFile): ConfigFile & {path: string} {
	const where = path ?? usualPath;
	const content = contentOf({path, environment, readFile});
	const value = content === undefined ? undefined : parseYaml(content, where, environment);
	const {data, error} = schema.safeParse(withoutEmptySections(value));
	for (const {key, rule, hint} of error === undefined ? [] : mistakesOf(schema, value, error)) {
		environment.problem(`\`${where}\`: \`${key}\` ${rule}`, hint);
	}

	return {...data, path: where};
}

function contentOf({path, environment, readFile}: ReadConfigFile): string | undefined {
	try {
		return readFile(path ?? usualPath);
	} catch (error) {
		const {code = 'unreadable'} = error as NodeJS.ErrnoException;
		if (path === undefined && code === 'ENOENT') {
			return undefined;
		}

		const hint =
			code === 'EISDIR'
				? 'Docker makes a folder where the file to be mounted did not exist: remove the folder, write the file'
				: 'mount the file into this container, or correct the path';
		environment.problem(`the configuration file ${quote(path ?? usualPath)} cannot be read: ${code}`, hint);
		return undefined;
	}
}

/** What the parser says of a mistake may quote the file, secrets included: only where it is and of which kind is told. */
function parseYaml(content: string, where: string, environment: Environment): unknown {
	// Only where there is a file: every command reads the configuration.
	const {LineCounter, parseDocument}: typeof import('yaml') = createRequire(import.meta.url)('yaml');
	const lineCounter = new LineCounter();
	const document = parseDocument(content, {schema: 'failsafe', prettyErrors: false, lineCounter});
	const mistakes = [...document.errors, ...document.warnings].map(({code, pos}) => {
		const {line, col} = lineCounter.linePos(pos[0]);
		return `\`${where}\`: line ${line}, column ${col} is not YAML (${code.toLowerCase().replaceAll('_', ' ')})`;
	});
	for (const mistake of new Set(mistakes)) {
		environment.problem(mistake);
	}

	return document.errors.length > 0 ? undefined : document.toJS();
}

function withoutEmptySections(value: unknown): unknown {
	if (value === undefined || value === null || value === '') {
		return {};
	}

	return typeof value === 'object' && !Array.isArray(value)
		? Object.fromEntries(Object.entries(value).filter(([name, content]) => content !== '' || !Object.hasOwn(sections, name)))
		: value;
}
