/** Environment and configuration file → what the agent is asked to be. Every mistake is reported at once. docs/configuration.md lists all. */

import {readFileSync} from 'node:fs';
import {ownTimeZone} from '../../base/clock.ts';
import {UsageError} from '../../base/errors.ts';
import {defaultPrefix} from '../../base/label.ts';
import {type LogLevel, logLevels} from '../../base/log-levels.ts';
import type {Problem} from '../../base/problem.ts';
import {readCronLine} from '../../base/reading/cron-line.ts';
import type {Keep} from '../../base/reading/keep.ts';
import {readKeep} from '../../base/reading/keep.ts';
import {nearest} from '../../base/reading/nearest.ts';
import {listOf, oneOf} from '../../base/reading/reader.ts';
import {type DialectName, readDialects, readDuration, readSize} from '../../base/reading/values.ts';
import type {WorkerLimits} from '../../docker/inherited.ts';
import {accesses} from '../restic/access.ts';
import type {Repository} from '../restic/restic.ts';
import {type AgentAddress, readAgents} from './agents.ts';
import {type Copy, readCopies} from './copies.ts';
import {createEnvironment, type Environment, type Variables} from './environment.ts';
import {readConfigFile} from './file.ts';
import {type NotifyConfig, notifyVariables, readNotify} from './notify.ts';
import {credentialsIn, readResticEnvironment} from './restic.ts';
import {ensureApiToken, ensurePassword, isGenerated} from './secrets.ts';
import {readSlack, type SlackConfig} from './slack.ts';
import {
	type Listen,
	orOff,
	orUnlimited,
	readApiToken,
	readAuto,
	readConcurrency,
	readContainer,
	readCpus,
	readEngineAddress,
	readHost,
	readImage,
	readLabelPrefix,
	readLimit,
	readListen,
	readLocation,
	readParts,
	readProject,
	readShare,
	readTimeZone,
	unlessOff,
} from './values.ts';

export interface Config {
	/** What snapshots are filed under; undefined: the engine's name. */
	host: string | undefined;
	/** The Compose projects that this agent looks after; undefined: all, and lone containers. */
	projects: readonly string[] | undefined;
	/** Those whose services are protected without a label; `*`: everything. */
	auto: readonly string[];
	/** A cron line of five fields. */
	schedule: string;
	/** Of targets whose labels do not say. */
	keep: Keep | undefined;
	/** The share of its size that a source may lose from one point to the next before a person must look. */
	shrinkLimit: number;
	/** Cron lines of five fields; undefined: off. */
	pruneSchedule: string | undefined;
	checkSchedule: string | undefined;
	/** In how many scheduled checks all of the repository's data is read once. */
	checkParts: number;
	/** An IANA name. */
	timeZone: string;
	/** How many runs at once. */
	concurrency: number;
	/** How long a run may get no further before it fails. */
	stallLimitMs: number;
	/** How long what a restore replaced is kept. */
	keepReplacedMs: number;
	/** Bytes that must be left where a database is restored, beside its own size. */
	restoreMarginBytes: number;
	/** Of an archive that is imported, decompressed. */
	importLimitBytes: number;
	/** How long a dump waits for a lock that somebody else holds, where a label does not say. */
	lockTimeoutMs: number;
	listen: Listen;
	/** '' until `withKeptSecrets`, when none was given. */
	apiToken: string;
	/** `unix:///path`, `/path` or `tcp://host:port`. */
	engineAddress: string;
	logLevel: LogLevel;
	/** With its dot at the end. */
	labelPrefix: string;
	/** Programs whose labels are understood, too. */
	labelDialects: readonly DialectName[];
	/** The image that workers are made of; undefined: the agent's own. */
	image: string | undefined;
	/** The name or id of the agent's own container; undefined: it finds out. */
	container: string | undefined;
	/** What workers may use, where it is not what the agent's own container may. */
	workerLimits: WorkerLimits;
	/** Without `RESTIC_PASSWORD` until `withKeptSecrets`, when none was given. */
	repository: Repository;
	/** Further repositories that restore points are copied to. */
	copies: readonly Copy[];
	notify: NotifyConfig;
	stateDirectory: string;
	/** Undefined: no bot. */
	slack: SlackConfig | undefined;
	/** Those that the bot and `holdfast fleet` speak to. Empty: the agent of this container. */
	agents: readonly AgentAddress[];
	/** Every secret value in this configuration, to be taken out of what leaves the agent. */
	secrets: readonly string[];
}

export interface ConfigOptions {
	/** @throws when it cannot be read. */
	readFile?: (path: string) => string;
	/** Elsewhere than `/state` and `/cache`; for tests. */
	stateDirectory?: string;
	cacheDirectory?: string;
}

/** The agent cannot start with this configuration: exit code 2. */
export class ConfigError extends UsageError {
	readonly problems: readonly Problem[];

	constructor(problems: readonly Problem[]) {
		const lines = problems.map(({message, hint}) => `- ${message}${hint ? ` (${hint})` : ''}`);
		super(`the configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${lines.join('\n')}`);
		this.problems = problems;
	}
}

/** @throws {ConfigError} with every problem. Never holds the value of a secret. */
export function loadConfig(variables: Variables, options: ConfigOptions = {}): Config {
	const {readFile = path => readFileSync(path, 'utf8'), stateDirectory = '/state', cacheDirectory = '/cache'} = options;
	const environment = createEnvironment(variables, readFile);
	reportUnknown(variables, environment);
	const {value} = environment;
	const location = environment.secret('RESTIC_REPOSITORY', readLocation) ?? '/repository';
	const password = environment.secret('RESTIC_PASSWORD');
	const apiToken = environment.secret('HOLDFAST_API_TOKEN', readApiToken) ?? '';
	const restic = readResticEnvironment(variables, environment);
	const repository = {
		name: 'primary',
		location,
		env: {...restic.env, ...(password ? {RESTIC_PASSWORD: password} : {})},
		access: value('HOLDFAST_REPOSITORY_ACCESS', oneOf(...accesses)),
		limitUpload: value('HOLDFAST_LIMIT_UPLOAD', readLimit),
		limitDownload: value('HOLDFAST_LIMIT_DOWNLOAD', readLimit),
		cacheDirectory,
	};
	const file = readConfigFile({path: environment.text('HOLDFAST_CONFIG'), environment, readFile});
	const copying = readCopies({section: file.copies ?? {}, path: file.path, primary: repository, cacheDirectory, environment, readFile});
	const slack = readSlack({environment, section: file.slack});
	const agents = readAgents({environment, section: file.agents, path: file.path, apiToken, readFile});
	const notifying = readNotify(environment);
	const config: Config = {
		host: value('HOLDFAST_HOST', readHost),
		projects: value('HOLDFAST_PROJECTS', listOf(readProject)),
		auto: value('HOLDFAST_AUTO', readAuto) ?? [],
		schedule: value('HOLDFAST_SCHEDULE', readCronLine) ?? '0 3 * * *',
		keep: value('HOLDFAST_KEEP', readKeep),
		shrinkLimit: value('HOLDFAST_SHRINK_LIMIT', readShare) ?? 0.5,
		pruneSchedule: unlessOff(value('HOLDFAST_PRUNE_SCHEDULE', orOff(readCronLine)) ?? '30 4 * * 0'),
		checkSchedule: unlessOff(value('HOLDFAST_CHECK_SCHEDULE', orOff(readCronLine)) ?? '30 5 * * 0'),
		checkParts: value('HOLDFAST_CHECK_PARTS', readParts) ?? 13,
		timeZone: value('TZ', readTimeZone) ?? ownTimeZone(),
		concurrency: value('HOLDFAST_CONCURRENCY', readConcurrency) ?? 2,
		stallLimitMs: value('HOLDFAST_STALL_LIMIT', readDuration) ?? 30 * 60_000,
		keepReplacedMs: value('HOLDFAST_KEEP_REPLACED', readDuration) ?? 72 * 3_600_000,
		restoreMarginBytes: value('HOLDFAST_RESTORE_MARGIN', readSize) ?? 2.25 * 1024 ** 3,
		importLimitBytes: value('HOLDFAST_IMPORT_LIMIT', readSize) ?? 100e9,
		lockTimeoutMs: value('HOLDFAST_LOCK_TIMEOUT', readDuration) ?? 10 * 60_000,
		listen: value('HOLDFAST_LISTEN', readListen) ?? {host: undefined, port: 9797},
		apiToken,
		engineAddress: value('DOCKER_HOST', readEngineAddress) ?? 'unix:///var/run/docker.sock',
		logLevel: value('HOLDFAST_LOG_LEVEL', oneOf(...logLevels)) ?? 'info',
		labelPrefix: value('HOLDFAST_LABEL_PREFIX', readLabelPrefix) ?? defaultPrefix,
		labelDialects: value('HOLDFAST_LABEL_DIALECTS', readDialects) ?? [],
		image: value('HOLDFAST_IMAGE', readImage),
		container: value('HOLDFAST_CONTAINER', readContainer),
		workerLimits: {
			memoryBytes: value('HOLDFAST_WORKER_MEMORY', orUnlimited(readSize)),
			cpus: value('HOLDFAST_WORKER_CPUS', orUnlimited(readCpus)),
		},
		repository,
		copies: copying.copies,
		notify: notifying.notify,
		stateDirectory,
		slack: slack.slack,
		agents,
		secrets: [
			password ?? '',
			apiToken,
			...credentialsIn(location),
			...restic.secrets,
			...copying.secrets,
			...slack.secrets,
			...agents.map(({token}) => token),
			...notifying.secrets,
		].filter(secret => secret !== ''),
	};
	if (environment.problems.length > 0) {
		throw new ConfigError(environment.problems);
	}

	return config;
}

/**
 * The configuration with the password and the token that were made for it, or are made now; they are kept in the state directory.
 *
 * @param announce is given a message for people when a secret was made.
 */
export function withKeptSecrets(config: Config, announce: (message: string) => void): Config {
	const {repository, stateDirectory} = config;
	const password = 'RESTIC_PASSWORD' in repository.env ? undefined : ensurePassword(stateDirectory);
	const token = config.apiToken === '' ? ensureApiToken(stateDirectory) : undefined;
	if (password?.isNew) {
		announce(
			`a password for the repository was made and written to ${password.path}: keep a copy of it elsewhere, without it no backup can be read`,
		);
	}

	if (token?.isNew) {
		announce(`a token for the HTTP API was made and written to ${token.path}`);
	}

	return {
		...config,
		apiToken: token?.value ?? config.apiToken,
		repository: password
			? {...repository, env: {...repository.env, RESTIC_PASSWORD: password.value}, isPasswordGenerated: isGenerated(password.value)}
			: repository,
		secrets: [...config.secrets, ...[password, token].flatMap(kept => kept?.value ?? [])],
	};
}

/** All that is read here and elsewhere. */
export const knownVariables = [
	'HOLDFAST_HOST',
	'HOLDFAST_PROJECTS',
	'HOLDFAST_AUTO',
	'HOLDFAST_SCHEDULE',
	'HOLDFAST_KEEP',
	'HOLDFAST_SHRINK_LIMIT',
	'HOLDFAST_PRUNE_SCHEDULE',
	'HOLDFAST_CHECK_SCHEDULE',
	'HOLDFAST_CHECK_PARTS',
	'HOLDFAST_CONCURRENCY',
	'HOLDFAST_STALL_LIMIT',
	'HOLDFAST_KEEP_REPLACED',
	'HOLDFAST_RESTORE_MARGIN',
	'HOLDFAST_IMPORT_LIMIT',
	'HOLDFAST_LOCK_TIMEOUT',
	...notifyVariables,
	'HOLDFAST_LISTEN',
	'HOLDFAST_API_TOKEN',
	'HOLDFAST_API_TOKEN_FILE',
	'HOLDFAST_LOG_LEVEL',
	'HOLDFAST_LABEL_DIALECTS',
	'HOLDFAST_LABEL_PREFIX',
	'HOLDFAST_IMAGE',
	'HOLDFAST_CONTAINER',
	'HOLDFAST_WORKER_MEMORY',
	'HOLDFAST_WORKER_CPUS',
	'HOLDFAST_REPOSITORY_ACCESS',
	'HOLDFAST_LIMIT_UPLOAD',
	'HOLDFAST_LIMIT_DOWNLOAD',
	'HOLDFAST_CONFIG',
	'HOLDFAST_AGENT_URL',
	'HOLDFAST_SLACK_CHANNEL',
	'HOLDFAST_SLACK_OPERATORS',
	'HOLDFAST_SLACK_RESTORERS',
	'HOLDFAST_SLACK_APPROVALS',
	'HOLDFAST_SLACK_LISTEN',
	'HOLDFAST_SLACK_API_URL',
];

/** How restic calls them. */
const repositoryNames = ['RESTIC_REPOSITORY', 'RESTIC_PASSWORD'].flatMap(name => [name, `${name}_FILE`]);

function reportUnknown(variables: Variables, environment: Environment): void {
	for (const name of Object.keys(variables).filter(candidate => /^holdfast_/i.test(candidate) && !knownVariables.includes(candidate))) {
		const ofRestic = name.toUpperCase().replace(/^HOLDFAST_(?:RESTIC_)?/, 'RESTIC_');
		const meant = repositoryNames.includes(ofRestic)
			? ofRestic
			: nearest(
					name.toLowerCase(),
					knownVariables.map(each => each.toLowerCase()),
				);
		environment.problem(
			`\`${name}\` is no variable of Holdfast`,
			meant === undefined ? 'remove it; docs/configuration.md lists all' : `did you mean \`${meant.toUpperCase()}\`?`,
		);
	}
}
