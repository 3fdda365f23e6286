/** The agent's API, for tests that kill and come again: from the host where that reaches the stack, which is quick; else from inside. */
import assert from 'node:assert/strict';
import type {RunEvent} from '../../../base/events.ts';
import type {BackupResult, RunResult} from '../../../base/results.ts';
import type {Stack} from '../stack.ts';
import {until} from '../until.ts';

type Door = Pick<Stack, 'api' | 'follow'>;

export type Client = Awaited<ReturnType<typeof connect>>;

/** At the address that its container has just now. */
async function doorFromHost({docker, container}: Stack, token: string): Promise<Door> {
	const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
	const address = await docker(['inspect', '--format', format, container('holdfast')]);
	const ask = async (path: string, options: RequestInit = {}) =>
		fetch(`http://${address}:9797${path}`, {
			...options,
			headers: {authorization: `Bearer ${token}`, 'content-type': 'application/json'},
		});
	return {
		async api(method, path, body) {
			const answer = await ask(path, {
				method,
				...(body === undefined ? {} : {body: JSON.stringify(body)}),
				signal: AbortSignal.timeout(120_000),
			});
			const text = await answer.text();
			return {status: answer.status, body: /^[[{]/.test(text) ? JSON.parse(text) : text};
		},
		async *follow(run) {
			const {body} = await ask(`/api/v1/runs/${run}/events`);
			let rest = '';
			try {
				for await (const part of body ?? []) {
					const lines = (rest + Buffer.from(part).toString()).split('\n');
					rest = lines.pop() ?? '';
					yield* lines.filter(line => line.startsWith('data:')).map(line => JSON.parse(line.slice('data:'.length)) as RunEvent);
				}
			} catch {
				// It died
			}
		},
	};
}

export async function connect({stack, token}: {stack: Stack; token: string}) {
	const {api, follow}: Door = stack.isNear ? await doorFromHost(stack, token) : stack;
	const call = async <Answer>(path: string, body?: unknown): Promise<Answer> =>
		(await api(body === undefined ? 'GET' : 'POST', `/api/v1/${path}`, body)).body as Answer;
	return {
		/** One request of `/api/v1`. */
		call,
		isReady: async () => (await api('GET', '/healthz')).status === 200,
		async start(target: string): Promise<string> {
			const {
				runs: [started],
			} = await call<{runs: Array<{run?: string; error?: string}>}>('backup', {targets: [target]});
			assert.ok(started?.run, `the backup did not start: ${JSON.stringify(started)}`);
			return started.run;
		},
		/** Ends when the agent dies. */
		follow,
		async result<Result extends RunResult = BackupResult>(run: string): Promise<Result> {
			return until(`run ${run} to end`, async () => (await call<{result: Result | null}>(`runs/${run}`)).result, {
				timeout: 180_000,
				interval: 50,
			}) as Promise<Result>;
		},
		/** What `holdfast points` prints. */
		points: async (target: string) =>
			(await call<Array<{point: string}>>(`points?target=${encodeURIComponent(target)}`)).map(({point}) => point),
		cancel: async (run: string) => (await api('POST', `/api/v1/runs/${run}/cancel`)).status,
	};
}
