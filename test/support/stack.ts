/** A Compose project of a test's own with Holdfast's real image beside it, and the tools to look at both without Holdfast. */
import {randomBytes} from 'node:crypto';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {execa} from 'execa';
import {stringify} from 'yaml';
import type {RunEvent} from '../../base/events.ts';
import type {BackupResult, RestoreResult} from '../../base/results.ts';
import {type DockerOptions, docker} from './docker.ts';
import type {SecondEngine} from './machine/second-engine.ts';
import {makeKeyCheap} from './stack/cheap-key.ts';
import {until} from './until.ts';

/** A service as Compose writes it. */
export type Service = Record<string, unknown>;

/** Nothing is due by itself while the tests run, whenever that is. */
export const hardlyEver = {
	HOLDFAST_SCHEDULE: '0 0 29 2 *',
	HOLDFAST_PRUNE_SCHEDULE: '0 0 29 2 *',
	HOLDFAST_CHECK_SCHEDULE: '0 0 29 2 *',
};

export interface StackOptions {
	services: Record<string, Service>;
	/** Named volumes of the services; Holdfast's own come by themselves. */
	volumes?: readonly string[];
	/** Options of the driver `local` for some of them. */
	volumeOptions?: Record<string, Record<string, string>>;
	/** Where the volume of the repository is to be another than on the disk: options of the driver `local`. */
	repositoryVolume?: Record<string, string>;
	/** Networks beside the default one. */
	networks?: readonly string[];
	/** Address range of the default network. */
	subnet?: string;
	/** Added to Holdfast's service. */
	holdfast?: Service & {environment?: Record<string, string>};
	/** Another engine than the machine's: the images must be there. */
	engine?: Pick<SecondEngine, 'host' | 'socket'>;
	/** Start only what is needed; default: all. */
	up?: readonly string[];
	/** The project's name, where what is on the disk already names it; default: one of its own. */
	project?: string;
	/** Folders of the host whose content volumes begin with. */
	contents?: Record<string, string>;
	/** Leaves the embedded repository's key as restic made it, where time is measured or the whole is proven; else it is made quick to open. */
	slowKey?: true;
}

export interface Output {
	exitCode: number;
	stdout: string;
	stderr: string;
}

export interface Stack {
	/** The Compose project; unique. */
	project: string;
	/** The docker command line on the stack's engine. */
	docker: (argv: readonly string[], options?: DockerOptions) => Promise<string>;
	/** Whether the host reaches the stack's networks. */
	isNear: boolean;
	compose: (...args: string[]) => Promise<string>;
	/** Name of a service's container. */
	container: (service: string) => string;
	/** Runs a command in a service's container; fails when it fails. */
	exec: (service: string, ...argv: string[]) => Promise<string>;
	/** The command line, as a person runs it. Never fails by itself. */
	holdfast: (...args: string[]) => Promise<Output>;
	/** `backup … --json`: one result for each target. */
	backup: (...args: string[]) => Promise<BackupResult[]>;
	restore: (...args: string[]) => Promise<RestoreResult>;
	/** Plain restic on the stack's repository, without Holdfast. */
	restic: (...args: string[]) => Promise<string>;
	/** Events of a run as they come, over the HTTP API; ends after the last, or when the agent dies. */
	follow: (run: string) => AsyncIterable<RunEvent>;
	/** The HTTP API from inside Holdfast's container. */
	api: (method: string, path: string, body?: unknown) => Promise<{status: number; body: unknown}>;
	/** Recreates Holdfast's container with other settings than those it began with; the rest stays as it is. Does not wait. */
	change: (holdfast: Service & {environment?: Record<string, string>}) => Promise<void>;
	/** Waits until Holdfast's container answers. */
	ready: () => Promise<void>;
	state: (service: string) => Promise<string>;
	down: () => Promise<void>;
}

/** Asks the API from inside: no port needs to be free on the host. */
const apiClient = `
const [method, path, body] = process.argv.slice(1);
const token = process.env.HOLDFAST_API_TOKEN ?? require('node:fs').readFileSync('/state/api-token', 'utf8').trim();
fetch('http://127.0.0.1:9797' + path, {method, headers: {authorization: 'Bearer ' + token, 'content-type': 'application/json'}, ...(body ? {body} : {})}).then(async answer => {
	if (answer.headers.get('content-type')?.includes('event-stream')) {
		for await (const part of answer.body) process.stdout.write(part);
	} else {
		console.log(JSON.stringify({status: answer.status, body: await answer.text()}));
	}
});`;

const plainRestic = 'RESTIC_PASSWORD_FILE=/state/repository-password exec restic --repo /repository --cache-dir /tmp/plain-restic "$@"';

/** Brings a stack up and takes it down after the test, whatever its outcome. */
export async function startStack(t: Pick<ExecutionContext, 'teardown'>, options: StackOptions): Promise<Stack> {
	const project = options.project ?? `hf-test-${randomBytes(4).toString('hex')}`;
	const folder = await mkdtemp(join(tmpdir(), `${project}-`));
	const file = join(folder, 'compose.yml');
	const {environment, ...holdfastService} = options.holdfast ?? {};
	const holdfast = {
		image: process.env.HOLDFAST_TEST_IMAGE ?? 'holdfast:dev',
		stop_grace_period: '30s',
		// The image's own, each half a minute, starts a program: the tests ask by themselves.
		healthcheck: {interval: '10m'},
		read_only: true,
		cap_drop: ['ALL'],
		security_opt: ['no-new-privileges:true'],
		tmpfs: ['/tmp'],
		volumes: [
			`${options.engine?.socket ?? '/var/run/docker.sock'}:/var/run/docker.sock`,
			'hf-repository:/repository',
			'hf-state:/state',
			'hf-cache:/cache',
		],
		environment: {HOLDFAST_PROJECTS: project, ...hardlyEver, ...environment},
		labels: {'holdfast-test': project},
		...holdfastService,
	};
	const volumes = ['hf-repository', 'hf-state', 'hf-cache', ...(options.volumes ?? [])];
	const driverOptions: Record<string, Record<string, string> | undefined> = {
		...options.volumeOptions,
		'hf-repository': options.repositoryVolume,
	};
	const write = (service: Service) =>
		writeFile(
			file,
			stringify({
				name: project,
				services: {holdfast: service, ...options.services},
				volumes: Object.fromEntries(
					volumes.map(name => [
						name,
						{
							labels: {'holdfast-test': project},
							...(driverOptions[name] === undefined ? {} : {driver_opts: driverOptions[name]}),
						},
					]),
				),
				networks: {
					...Object.fromEntries((options.networks ?? []).map(name => [name, {}])),
					...(options.subnet === undefined ? {} : {default: {ipam: {config: [{subnet: options.subnet}]}}}),
				},
			}),
		);
	await write(holdfast);

	const host = options.engine?.host;
	const env = host === undefined ? {} : {DOCKER_HOST: host};
	const onEngine: Stack['docker'] = async (argv, further = {}) => docker(argv, {...further, ...(host === undefined ? {} : {host})});
	const compose = async (...args: string[]) =>
		(await execa('docker', ['compose', '--file', file, '--project-name', project, ...args], {env})).stdout;
	const container = (service: string) => `${project}-${service}-1`;
	const down = async () => {
		// A container of the stack may be paused, by a test or by a failure: then it could not be removed.
		const paused = await onEngine([
			'ps',
			'--quiet',
			'--filter',
			`label=com.docker.compose.project=${project}`,
			'--filter',
			'status=paused',
		]);
		for (const id of paused.split('\n').filter(Boolean)) {
			await onEngine(['unpause', id]);
		}

		await compose('down', '--volumes', '--timeout', '1', '--remove-orphans');
		await rm(folder, {recursive: true, force: true});
	};
	t.teardown(down);

	const inHoldfast = (argv: readonly string[]) =>
		execa('docker', ['exec', container('holdfast'), ...argv], {env, reject: false, maxBuffer: 64_000_000});
	const run = async (...args: string[]): Promise<Output> => {
		const {exitCode = -1, stdout, stderr} = await inHoldfast(['holdfast', ...args]);
		return {exitCode, stdout, stderr};
	};

	/** The same question as `holdfast healthcheck`, without the start of a program beside an agent that starts. Undefined where the host does not reach it. */
	const healthFromHost = async (): Promise<boolean | undefined> => {
		if (host !== undefined) {
			return undefined;
		}

		const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}';
		const [address] = (await onEngine(['inspect', '--format', format, container('holdfast')])).split(' ').filter(Boolean);
		if (address === undefined) {
			return undefined;
		}

		return fetch(`http://${address}:9797/healthz`, {signal: AbortSignal.timeout(5000)}).then(
			({ok}) => ok,
			(error: Error) => ((error.cause as {code?: string} | undefined)?.code === 'ECONNREFUSED' ? false : undefined),
		);
	};

	const stack: Stack = {
		project,
		docker: onEngine,
		isNear: host === undefined,
		compose,
		container,
		exec: async (service, ...argv) => onEngine(['exec', container(service), ...argv], {timeout: 600_000}),
		holdfast: run,
		async backup(...args) {
			const {stdout, stderr} = await run('backup', ...args, '--json');
			const results = stdout.split('\n').filter(Boolean);
			if (results.length === 0) {
				throw new Error(`\`holdfast backup\` printed no result: ${stderr}`);
			}

			return results.map(line => JSON.parse(line) as BackupResult);
		},
		async restore(...args) {
			const {stdout, stderr} = await run('restore', ...args, '--yes', '--json');
			try {
				return JSON.parse(stdout) as RestoreResult;
			} catch (error) {
				throw new Error(`\`holdfast restore\` printed no result: ${stdout}${stderr}`, {cause: error});
			}
		},
		async restic(...args) {
			const {exitCode, stdout, stderr} = await inHoldfast(['sh', '-c', plainRestic, 'restic', ...args]);
			if (exitCode !== 0) {
				throw new Error(`restic ${args[0]} exited with ${exitCode}: ${stderr}`);
			}

			return stdout;
		},
		async *follow(id) {
			const following = execa('docker', ['exec', container('holdfast'), 'node', '-e', apiClient, 'GET', `/api/v1/runs/${id}/events`], {
				env,
				reject: false,
			});
			for await (const line of following) {
				if (line.startsWith('data:')) {
					yield JSON.parse(line.slice('data:'.length)) as RunEvent;
				}
			}
		},
		async api(method, path, body) {
			const {stdout, stderr} = await inHoldfast([
				'node',
				'-e',
				apiClient,
				method,
				path,
				...(body === undefined ? [] : [JSON.stringify(body)]),
			]);
			if (stdout === '') {
				throw new Error(`${method} ${path} got no answer: ${stderr}`);
			}

			const answer = JSON.parse(stdout) as {status: number; body: string};
			return {
				status: answer.status,
				body: answer.body.startsWith('{') || answer.body.startsWith('[') ? JSON.parse(answer.body) : answer.body,
			};
		},
		async change({environment = {}, ...service}) {
			await write({...holdfast, ...service, environment: {...holdfast.environment, ...environment}});
			await compose('up', '--detach', '--no-deps', 'holdfast');
		},
		async ready() {
			const isWell = async () => (await healthFromHost()) ?? (await run('healthcheck')).exitCode === 0;
			await until('Holdfast answers', isWell, {timeout: 180_000, interval: 200});
		},
		state: async service => onEngine(['inspect', '--format', '{{.State.Status}}', container(service)]),
		down,
	};
	for (const [volume, content] of Object.entries(options.contents ?? {})) {
		await compose('up', '--no-start', '--quiet-pull');
		await compose(
			'run',
			'--rm',
			'--no-deps',
			'--entrypoint=cp',
			`--volume=${content}:/content:ro`,
			`--volume=${project}_${volume}:/volume`,
			'holdfast',
			'-a',
			'/content/.',
			'/volume',
		);
	}

	await compose('up', '--detach', '--quiet-pull', ...(options.up ?? []));
	await stack.ready();
	if (!options.slowKey) {
		await makeKeyCheap(container('holdfast'), host === undefined ? {} : {host});
	}

	return stack;
}
