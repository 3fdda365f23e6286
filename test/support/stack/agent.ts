/** The agent of a stack, as people reach it; and plain restic on its repository, without it. */
import {execa} from 'execa';
import type {RunEvent} from '../../../base/events.ts';
import type {BackupResult, RestoreResult} from '../../../base/results.ts';
import {until} from '../until.ts';
import type {Project} from './project.ts';

export interface Output {
	exitCode: number;
	stdout: string;
	stderr: string;
}

export interface Agent {
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
	/** Waits until Holdfast's container answers. */
	ready: () => Promise<void>;
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

export function reachAgent(project: Project): Agent {
	const {env, container} = project;
	const inHoldfast = (argv: readonly string[]) =>
		execa('docker', ['exec', container('holdfast'), ...argv], {env, reject: false, maxBuffer: 64_000_000});
	const run = async (...args: string[]): Promise<Output> => {
		const {exitCode = -1, stdout, stderr} = await inHoldfast(['holdfast', ...args]);
		return {exitCode, stdout, stderr};
	};

	return {
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
		async ready() {
			const isWell = async () => (await healthFromHost(project)) ?? (await run('healthcheck')).exitCode === 0;
			await until('Holdfast answers', isWell, {timeout: 180_000, interval: 200});
		},
	};
}

/** The same question as `holdfast healthcheck`, without the start of a program beside an agent that starts. Undefined where the host does not reach it. */
async function healthFromHost({docker, host, container}: Project): Promise<boolean | undefined> {
	if (host !== undefined) {
		return undefined;
	}

	const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}';
	const [address] = (await docker(['inspect', '--format', format, container('holdfast')])).split(' ').filter(Boolean);
	if (address === undefined) {
		return undefined;
	}

	return fetch(`http://${address}:9797/healthz`, {signal: AbortSignal.timeout(5000)}).then(
		({ok}) => ok,
		(error: Error) => ((error.cause as {code?: string} | undefined)?.code === 'ECONNREFUSED' ? false : undefined),
	);
}
