/** Environment and configuration file → what the agent is asked to be. Every mistake is reported at once. docs/configuration.md lists all. */

import {readFileSync} from 'node:fs';
import {UsageError} from '../../base/errors.ts';
import type {Problem} from '../../base/problem.ts';
import {oneOf} from '../../base/reading/reader.ts';
import type {EngineKeys} from '../../docker/calls/client.ts';
import type {Repository} from '../restic/repository.ts';
import {accesses} from '../restic/repository.ts';
import {type AgentAddress, readAgents} from './agents.ts';
import {type Copy, readCopies} from './copies.ts';
import {readEngineKeys} from './engine.ts';
import {createEnvironment, type Environment, type Variables} from './environment.ts';
import {readConfigFile} from './file.ts';
import {reportUnknown} from './known.ts';
import {type NotifyConfig, readNotify} from './notify.ts';
import {credentialsIn, readResticEnvironment} from './restic.ts';
import {ensureApiToken, ensurePassword, isGenerated} from './secrets.ts';
import {readSettings, type Settings} from './settings.ts';
import {readSlack, type SlackConfig} from './slack.ts';
import {readApiToken, readLimit, readLocation} from './values.ts';

export interface Config extends Settings {
	/** '' until `withKeptSecrets`, when none was given. */
	apiToken: string;
	/** Without `RESTIC_PASSWORD` until `withKeptSecrets`, when none was given. */
	repository: Repository;
	/** Further repositories that restore points are copied to. */
	copies: readonly Copy[];
	notify: NotifyConfig;
	/** Undefined: the engine is spoken to in clear. */
	engineKeys: EngineKeys | undefined;
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
	const settings = readSettings(environment);
	const {repository, secrets} = readRepository({variables, environment, cacheDirectory});
	const apiToken = environment.secret('HOLDFAST_API_TOKEN', readApiToken) ?? '';
	const file = readConfigFile({path: environment.text('HOLDFAST_CONFIG'), environment, readFile});
	const copying = readCopies({section: file.copies ?? {}, path: file.path, primary: repository, cacheDirectory, environment, readFile});
	const slack = readSlack({environment, section: file.slack});
	const agents = readAgents({environment, section: file.agents, path: file.path, apiToken, readFile});
	const notifying = readNotify(environment);
	const engineKeys = readEngineKeys(settings.engineAddress, environment, readFile);
	if (environment.problems.length > 0) {
		throw new ConfigError(environment.problems);
	}

	return {
		...settings,
		apiToken,
		repository,
		copies: copying.copies,
		notify: notifying.notify,
		engineKeys,
		stateDirectory,
		slack: slack.slack,
		agents,
		secrets: [...secrets, apiToken, ...copying.secrets, ...slack.secrets, ...agents.map(({token}) => token), ...notifying.secrets].filter(
			secret => secret !== '',
		),
	};
}

interface RepositorySources {
	variables: Variables;
	environment: Environment;
	cacheDirectory: string;
}

/** The primary one, and every secret in it. */
function readRepository({variables, environment, cacheDirectory}: RepositorySources): {repository: Repository; secrets: readonly string[]} {
	const {value} = environment;
	const location = environment.secret('RESTIC_REPOSITORY', readLocation) ?? '/repository';
	const password = environment.secret('RESTIC_PASSWORD');
	const restic = readResticEnvironment(variables, environment);
	return {
		repository: {
			name: 'primary',
			location,
			env: {...restic.env, ...(password ? {RESTIC_PASSWORD: password} : {})},
			access: value('HOLDFAST_REPOSITORY_ACCESS', oneOf(...accesses)),
			limitUpload: value('HOLDFAST_LIMIT_UPLOAD', readLimit),
			limitDownload: value('HOLDFAST_LIMIT_DOWNLOAD', readLimit),
			cacheDirectory,
		},
		secrets: [password ?? '', ...credentialsIn(location), ...restic.secrets],
	};
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
