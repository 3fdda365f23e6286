#!/usr/bin/env node
/** Wires everything. The only file that touches the environment, signals and the exit of the process. */
import {readFileSync} from 'node:fs';
import {createClient} from './api/client.ts';
import {runCli} from './cli/run.ts';
import {type Config, loadConfig, withKeptSecrets} from './config.ts';
import {explain} from './errors.ts';
import {createLog} from './log.ts';
import {createRedactor} from './redact.ts';

const {version} = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {version: string};

/** Ctrl-C on the command line: the run goes on in the agent. */
const interrupted = new AbortController();

async function runAgent(): Promise<number> {
	const redactor = createRedactor();
	let config: Config = loadConfig(process.env);
	const log = createLog({level: config.logLevel, redactor});
	redactor.add(config.secrets);
	config = withKeptSecrets(config, log.warning);
	redactor.add(config.secrets);
	const ending = new AbortController();
	const {promise: told, resolve} = Promise.withResolvers<string>();
	for (const name of ['SIGTERM', 'SIGINT'] as const) {
		process.on(name, () => resolve(name));
	}

	process.on('unhandledRejection', error => log.error('a failure that nobody handled', {error}));
	log.info(`holdfast ${version}`);
	// Only here: the command line and the health check start three times as fast without what the daemon stands on.
	const {startDaemon} = await import('./daemon.ts');
	const daemon = await startDaemon(config, {version, log, signal: ending.signal});
	log.info(`${await told}: putting back what is quiesced, and ending`);
	ending.abort();
	await daemon.close();
	return 0;
}

/** The agent of this container, as its own configuration says. */
function connect() {
	const {listen, apiToken} = withKeptSecrets(loadConfig(process.env), () => {});
	const host = listen.host === undefined || listen.host === '0.0.0.0' || listen.host === '::' ? '127.0.0.1' : listen.host;
	return createClient({url: `http://${host.includes(':') ? `[${host}]` : host}:${listen.port}`, token: apiToken});
}

const argv = process.argv.slice(2);
if (argv.length > 0 && argv[0] !== 'agent') {
	process.on('SIGINT', () => interrupted.abort());
}

try {
	process.exitCode = await runCli(argv, {
		connect,
		startAgent: runAgent,
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
	process.exitCode = 1;
}

if (argv.length === 0 || argv[0] === 'agent') {
	process.exit();
}
