/** Section `copies` of the configuration file: further repositories that restore points are copied to. */
import {parseEnv} from 'node:util';
import * as z from 'zod';
import {readCronLine} from '../../base/reading/cron-line.ts';
import type {Keep} from '../../base/reading/keep.ts';
import {readKeep} from '../../base/reading/keep.ts';
import {matching, nonEmptyText, oneOf, type Reader} from '../../base/reading/reader.ts';
import {named, text} from '../../base/reading/structure.ts';
import {readName} from '../../base/reading/values.ts';
import type {Repository} from '../restic/repository.ts';
import {accesses} from '../restic/repository.ts';
import {createEnvironment, type Environment, type Variables} from './environment.ts';
import {credentialsIn, isPassed, readResticEnvironment} from './restic.ts';
import {readLimit, readLocation} from './values.ts';

export interface Copy {
	/** `name` is the copy's. */
	repository: Repository;
	/** A cron line of five fields. */
	schedule: string;
	/** Which points the copy keeps; undefined: all. */
	keep: Keep | undefined;
	/** KiB a second while points are copied. */
	limitUpload: number | undefined;
	limitDownload: number | undefined;
}

/** Words that commands and labels use for something else. */
const taken = ['primary', 'all', 'none'];

const readCopyName: Reader<string> = name =>
	taken.includes(name) ? {rule: `must not be one of ${taken.map(word => `\`${word}\``).join(', ')}`} : readName(name);

const readFilePath = matching(/^\/[^\0]+$/, 'must be the absolute path of a file in this container');

const variableName = matching(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be letters, digits and `_`');

const optionName = matching(/^[a-z0-9]+\.[a-z0-9-]+$/, 'must be an option as `restic options` lists them');

export const copiesSection = named(
	readCopyName,
	z.strictObject({
		repository: text(readLocation, {secret: true}),
		password: z.string().optional(),
		passwordFile: text(readFilePath).optional(),
		env: named(variableName, z.string()).optional(),
		envFile: text(readFilePath).optional(),
		options: named(optionName, text(nonEmptyText)).optional(),
		access: text(oneOf(...accesses)).optional(),
		schedule: text(readCronLine).default('0 5 * * *'),
		keep: text(readKeep).optional(),
		limitUpload: text(readLimit).optional(),
		limitDownload: text(readLimit).optional(),
	}),
);

type Section = z.output<typeof copiesSection>;
type Described = Section[string];

interface ReadCopies {
	section: Section;
	/** Of the configuration file, for messages. */
	path: string;
	primary: Pick<Repository, 'location' | 'env'>;
	cacheDirectory: string;
	environment: Environment;
	readFile: (path: string) => string;
}

/** The copies, and every secret of theirs. What is wrong becomes a problem of the environment. */
export function readCopies({section, path, primary, cacheDirectory, environment, readFile}: ReadCopies): {
	copies: Copy[];
	secrets: string[];
} {
	const secrets: string[] = [];
	const copies = Object.entries(section).map(([name, described]): Copy => {
		const own = collect(described, {key: `copies.${name}`, readFile});
		for (const {message, hint} of [...own.problems, ...conflicts(`copies.${name}`, own.env, primary.env)]) {
			environment.problem(`\`${path}\`: ${message}`, hint);
		}

		secrets.push(...own.secrets);
		const {repository: location, options, access, schedule, keep, limitUpload, limitDownload} = described;
		return {repository: {name, location, env: own.env, options, access, cacheDirectory}, schedule, keep, limitUpload, limitDownload};
	});
	const seen = new Map([[plain(primary.location), 'the primary repository']]);
	for (const {repository} of copies) {
		const other = seen.get(plain(repository.location));
		if (other !== undefined) {
			environment.problem(
				`\`${path}\`: \`copies.${repository.name}.repository\` is the same as that of ${other}`,
				'a copy needs a repository of its own, best in another place',
			);
		}

		seen.set(plain(repository.location), `\`copies.${repository.name}\``);
	}

	return {copies, secrets};
}

const plain = (location: string) => location.replace(/^local:/, '').replace(/\/+$/, '');

/** The environment of one copy's restic. */
function collect(described: Described, {key, readFile}: {key: string; readFile: (path: string) => string}) {
	const {password, passwordFile, repository} = described;
	const reading = createEnvironment({[`${key}.password`]: password, [`${key}.passwordFile`]: passwordFile}, readFile, {fileSuffix: 'File'});
	const opened = reading.secret(`${key}.password`);
	if (opened === undefined) {
		reading.problem(`\`${key}\` has no password`, 'give `passwordFile`, the path of a file with the password in it');
	}

	const variables = {...variablesOfFile(described.envFile, {key, environment: reading, readFile}), ...described.env};
	for (const name of Object.keys(variables).filter(candidate => !isPassed(candidate))) {
		const isOwn = name.startsWith('RESTIC_PASSWORD') || name.startsWith('RESTIC_REPOSITORY');
		reading.problem(
			`\`${key}.env\`: \`${name}\` is no variable that restic, the storage's clients or rclone read`,
			isOwn ? 'give `repository` and `password` or `passwordFile`' : 'docs/configuration.md lists them',
		);
	}

	const rest = createEnvironment(variables, readFile);
	const {env, secrets} = readResticEnvironment(variables, rest);
	return {
		env: {...env, ...(opened ? {RESTIC_PASSWORD: opened} : {})},
		secrets: [opened ?? '', ...credentialsIn(repository), ...secrets].filter(secret => secret !== ''),
		problems: [...reading.problems, ...rest.problems.map(({message, hint}) => ({message: `\`${key}.env\`: ${message}`, hint}))],
	};
}

interface FileOfVariables {
	key: string;
	environment: Environment;
	readFile: (path: string) => string;
}

function variablesOfFile(path: string | undefined, {key, environment, readFile}: FileOfVariables): Variables {
	if (path === undefined) {
		return {};
	}

	try {
		return parseEnv(readFile(path));
	} catch (error) {
		environment.problem(
			`\`${key}.envFile\` must name a file that can be read, got "${path}": ${(error as NodeJS.ErrnoException).code ?? 'unreadable'}`,
			'mount the file into this container, or correct the path',
		);
		return {};
	}
}

/** What may differ between two repositories of one restic: it has names of its own for these, or they are about the one that is written. */
const perRepository = new Set(['RESTIC_PASSWORD', 'RESTIC_KEY_HINT', 'RESTIC_COMPRESSION', 'RESTIC_PACK_SIZE', 'RESTIC_READ_CONCURRENCY']);

/** `restic copy` reads both repositories with the same variables. */
const conflicts = (key: string, own: Readonly<Record<string, string>>, primary: Readonly<Record<string, string>>) =>
	Object.keys(own)
		.filter(name => !perRepository.has(name) && name in primary && own[name] !== primary[name])
		.map(name => ({
			message: `\`${key}.env\`: \`${name}\` differs from that of the primary repository, and restic uses one for both when it copies`,
			hint: 'name the storage of one of them through rclone, whose variables carry a name of their own: docs/copies.md',
		}));
