/** However much flows past the agent, it stays small. */
import type {ExecutionContext} from 'ava';
import {docker} from '../docker.ts';
import {ensureImage} from '../images.ts';
import {startStack} from '../stack.ts';
import {until} from '../until.ts';

const mebibyte = 1024 * 1024;

/** Small where it lies, because it is compressed there, and 1 MB a row when it is dumped. */
const fill = (rows: number) => `create table wide as select n, repeat(md5(n::text), 32768) as line from generate_series(1, ${rows}) n`;

const agentStatus = 'for p in /proc/[0-9]*; do grep -q "agent/main.js" $p/cmdline && cat $p/status; done 2>/dev/null; true';

/** Dumps of `rows` MB each flow into a slow repository, by a worker and through the agent itself. */
export async function agentStaysSmall(t: ExecutionContext, rows: number): Promise<void> {
	const database = {
		image: await ensureImage('postgres:17'),
		environment: {POSTGRES_PASSWORD: 'secret'},
		command: ['postgres', '-c', 'fsync=off'],
		labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'postgres'},
	};
	// With the host's processes a container's file system cannot be found by a pid of its own, so its dump goes through docker exec.
	const stack = await startStack(t, {services: {worker: database, exec: {...database, pid: 'host'}}});
	for (const service of ['worker', 'exec']) {
		await until('the server', async () => (await stack.exec(service, 'pg_isready', '--quiet', '--host=127.0.0.1')) === '', {
			timeout: 120_000,
		});
		await stack.exec(service, 'psql', '--username=postgres', '--quiet', '--command', fill(rows));
	}

	const running = stack.backup('--all');
	let ended = false;
	running.then(
		() => (ended = true),
		() => (ended = true),
	);
	const workers = await until(
		'both repository workers',
		async () => {
			const names = await docker([
				'ps',
				'--quiet',
				'--filter',
				'name=holdfast-repository-',
				'--filter',
				`volume=${stack.project}_hf-repository`,
			]);
			return names.split('\n').length === 2 && names.split('\n');
		},
		{timeout: 120_000},
	);
	await docker(['update', '--cpus', '0.4', ...workers]);

	let memory = 0;
	await until(
		'the end of both runs',
		async () => {
			const [used = ''] = (await docker(['stats', '--no-stream', '--format', '{{.MemUsage}}', stack.container('holdfast')])).split(' ');
			const [, amount = '0', unit] = /^([\d.]+)([KMG])iB$/.exec(used) ?? [];
			memory = Math.max(memory, Number(amount) * (unit === 'G' ? 1024 : unit === 'M' ? 1 : 1 / 1024));
			return ended;
		},
		{timeout: 13 * 60_000},
	);
	const results = await running;
	for (const {outcome, error, sources} of results) {
		t.is(outcome, 'success', error);
		t.true((sources[0]?.bytes ?? 0) > rows * 1_000_000, `${sources[0]?.bytes} bytes`);
	}

	const throughAgent = results.find(({target}) => target.endsWith('/exec'));
	const warnings: string[] = [];
	for await (const event of stack.follow(throughAgent?.run ?? '')) {
		if (event.type === 'warning') {
			warnings.push(event.message);
		}
	}

	t.regex(warnings.join('\n'), /through docker exec/);
	const peak = Math.max(
		...[...(await stack.exec('holdfast', 'sh', '-c', agentStatus)).matchAll(/^VmHWM:\s+(\d+) kB$/gm)].map(([, kilobytes]) =>
			Number(kilobytes),
		),
	);
	t.log(
		`agent: ${Math.round(peak / 1024)} MiB at its peak; its container without cache: ${Math.round(memory)} MiB at the most; ${results.map(({durationSeconds}) => Math.round(durationSeconds)).join(' s and ')} s`,
	);
	t.true(peak * 1024 < 256 * mebibyte, `${peak} kB`);
	t.true(peak > 20_000, 'the process of the agent was found');
	// Beside it come and go restic, which lists and publishes, and the health check.
	t.true(memory > 0 && memory < 400, `${memory} MiB`);
}
