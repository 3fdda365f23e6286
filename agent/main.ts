#!/usr/bin/env node
/** Wires everything. The only file that touches the environment, signals and the exit of the process. */
import {readFileSync} from 'node:fs';
import {setFlagsFromString} from 'node:v8';
import {explain, RunError} from '../base/errors.ts';
import {examineFolder, isReadOnly} from '../base/folder.ts';
import {useLabelPrefix} from '../base/label.ts';
import type {Log} from '../base/log.ts';
import {useStallLimit} from '../base/patience.ts';
import {createRedactor} from '../base/redact.ts';
import {shipped} from '../base/shipped.ts';
import {inSources} from '../base/source-lines.ts';
import type {Bot} from '../bot/bot.ts';
import {createClient} from './api/client.ts';
import {createRoster} from './api/fleet.ts';
import {exitOfError} from './cli/exit.ts';
import {runCli} from './cli/run.ts';
import {type Config, ConfigError, loadConfig, withKeptSecrets} from './config/config.ts';
import {ensureApiToken} from './config/secrets.ts';
import type {Listen} from './config/values.ts';

const {version} = JSON.parse(readFileSync(shipped('package.json'), 'utf8')) as {version: string};

// `restic unlock` asks by it whether the process of a lock lives, and another process may have that id by now: this one.
process.on('SIGHUP', () => {});

/** Ctrl-C on the command line: the run goes on in the agent. */
const interrupted = new AbortController();

/** What the two processes that stay have in common. `told` resolves when they are to end. */
async function settle(config: Config, prepare: (config: Config, log: Log) => Config) {
	const {promise: told, resolve} = Promise.withResolvers<string>();
	for (const name of ['SIGTERM', 'SIGINT'] as const) {
		process.on(name, () => resolve(name));
	}

	useLabelPrefix(config.labelPrefix);
	useStallLimit(config.stallLimitMs);
	const redactor = createRedactor();
	// Here, and the daemon below: the command line and the health check start three times as fast without what these stand on.
	const {createLog} = await import('../base/log.ts');
	const log = createLog({level: config.logLevel, redactor});
	redactor.add(config.secrets);
	const prepared = prepare(config, log);
	redactor.add(prepared.secrets);
	process.on('uncaughtExceptionMonitor', ({stack}) => process.stderr.write(`${redactor.apply(inSources(stack ?? ''))}\n`));
	process.on('unhandledRejection', error => log.error('a failure that nobody handled', {error}));
	log.info(`holdfast ${version}`);
	return {config: prepared, log, redact: redactor.applyToJson, told};
}

async function runAgent(): Promise<number> {
	const {config, log, redact, told} = await settle(loadConfig(process.env), (config, log) => {
		assertUsable(config.stateDirectory);
		return withKeptSecrets(config, log.warning);
	});
	const ending = new AbortController();
	const {startDaemon} = await import('./daemon.ts');
	let bot: Bot | undefined;
	const {promise: stranded, resolve: onStranded} = Promise.withResolvers<undefined>();
	const ended = Promise.race([told, stranded]);
	// Not 0: who is to be started again on a failure alone is.
	const exitCode = async () => ((await ended) === undefined ? 1 : 0);
	void ended.then(() => ending.abort());
	const daemon = await startDaemon(config, {
		version,
		log,
		redact,
		signal: ending.signal,
		isSlackConnected: () => bot?.isConnected(),
		onStranded: () => onStranded(undefined),
	}).catch((error: unknown) => {
		if (!ending.signal.aborted) {
			throw error;
		}
	});
	if (daemon === undefined) {
		log.info(`${(await ended) ?? 'no engine'}: ending, before it could begin`);
		return exitCode();
	}

	bot = await startSlack(config, log);
	growSlowly();
	log.info(`${(await ended) ?? 'no engine'}: putting back what is quiesced, and ending`);
	// Slack may take its time: nothing that is quiesced waits for it.
	await Promise.all([daemon.close(), bot?.close()]);
	return exitCode();
}

/**
 * The heap grows by a third at most before it is tidied; by V8's own choice lists of 60,000 snapshots took 365 MiB. Not sooner: what was compiled with
 * other flags is compiled again, and a start takes half as long again.
 */
const growSlowly = () => setFlagsFromString('--heap-growing-percent=30');

/** Without its state the agent would not know what it quiesced: then it does nothing. @throws {RunError} */
function assertUsable(folder: string): void {
	const problem = examineFolder(folder);
	if (problem !== undefined) {
		throw new RunError(problem.message, {hint: problem.hint});
	}

	if (isReadOnly(folder)) {
		throw new RunError(`nothing can be written in \`${folder}\`: its file system is read-only`, {hint: `mount a volume at \`${folder}\``});
	}
}

/** A bot that cannot begin is no reason for the agent to stop. */
async function startSlack({slack, agents, listen, apiToken, timeZone}: Config, log: Log): Promise<Bot | undefined> {
	if (slack === undefined) {
		return undefined;
	}

	try {
		const {startBot} = await import('../bot/bot.ts');
		const own = {name: 'agent', url: ownUrl(listen), token: apiToken};
		const [first = own, ...rest] = agents;
		return startBot({config: slack, roster: createRoster([first, ...rest]), log, timeZone});
	} catch (error) {
		log.error('the Slack bot cannot begin', {error});
		return undefined;
	}
}

/** The bot without an agent: it says how it is at the address where an agent would. */
async function runBot(): Promise<number> {
	const {config, log, told} = await settle(loadConfig(process.env), config => config);
	const [first, ...rest] = config.agents;
	if (config.slack === undefined || first === undefined) {
		throw new ConfigError([
			{
				message: '`holdfast bot` needs `SLACK_BOT_TOKEN`, and agents to talk to',
				hint: 'set `HOLDFAST_AGENT_URL` and `HOLDFAST_API_TOKEN`, or write the section `agents` of the configuration file: docs/slack.md',
			},
		]);
	}

	const [{startBot}, {serveBot}] = await Promise.all([import('../bot/bot.ts'), import('../bot/server.ts')]);
	const roster = createRoster([first, ...rest]);
	const bot = startBot({config: config.slack, roster, log, timeZone: config.timeZone});
	const server = await serveBot({bot, roster, listen: config.listen, token: config.apiToken});
	log.info(`${await told}: ending`);
	await Promise.all([bot.close(), server.close()]);
	return 0;
}

const ownUrl = ({host: address, port}: Listen): string => {
	const host = address === undefined || address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address;
	return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
};

/** The agent of this container, as its own configuration says. */
function connect() {
	const {listen, apiToken, stateDirectory, labelPrefix} = loadConfig(process.env);
	useLabelPrefix(labelPrefix);
	// Nothing more is kept: a bot alone has no place for a password, and needs none
	return createClient({url: ownUrl(listen), token: apiToken || keptToken(stateDirectory)});
}

/** The agents that the configuration names; undefined where it names none, and the agent of this container is all there is. */
const connectFleet = async () => {
	const {agents, labelPrefix} = loadConfig(process.env);
	useLabelPrefix(labelPrefix);
	const roster = createRoster(agents);
	await roster.refresh();
	return agents.length === 0 ? undefined : roster.hosts();
};

function keptToken(stateDirectory: string): string {
	assertUsable(stateDirectory);
	return ensureApiToken(stateDirectory).value;
}

const argv = process.argv.slice(2);
const stays = argv.length === 0 || argv[0] === 'agent' || argv[0] === 'bot';
if (!stays) {
	process.on('SIGINT', () => interrupted.abort());
}

try {
	process.exitCode = await runCli(argv, {
		connect,
		connectFleet,
		startAgent: runAgent,
		startBot: runBot,
		version,
		stdin: process.stdin,
		stdout: process.stdout,
		stderr: process.stderr,
		interrupted: interrupted.signal,
		colour: process.env.NO_COLOR === undefined,
		debug: process.env.HOLDFAST_LOG_LEVEL === 'debug',
	});
} catch (error) {
	process.stderr.write(`${explain(error)}\n`);
	process.exitCode = exitOfError(error);
}

if (stays) {
	process.exit();
}
