/** Many containers are found and planned at once, and the agent stays small however much flows past it. Lane: measures. */
import process from 'node:process';
import test from 'ava';
import {connectEngine} from '../../../docker/engine.ts';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const mebibyte = 1024 * 1024;

/** `node -e SCRIPT PATH`: asks the API five times, in the agent's container, and prints the milliseconds of each and the last answer. */
const timedApi = `
const token = require('node:fs').readFileSync('/state/api-token', 'utf8').trim();
(async () => {
	const times = [];
	let body;
	for (let round = 0; round < 5; round++) {
		const begun = performance.now();
		const answer = await fetch('http://127.0.0.1:9797' + process.argv[1], {headers: {authorization: 'Bearer ' + token}});
		body = await answer.text();
		times.push(performance.now() - begun);
		if (!answer.ok) throw new Error(answer.status + ' ' + body);
	}
	console.log(JSON.stringify({times, body}));
})();`;

test.serial('200 labelled containers are found and planned within 2 s', async t => {
	const count = 200;
	const stack = await startStack(t, {slowKey: true, services: {}});
	const engine = connectEngine(process.env.DOCKER_HOST ?? '/var/run/docker.sock');
	const image = await ensureImage('debian:trixie-slim');
	const made: string[] = [];
	t.teardown(async () => Promise.all(made.map(async id => engine.remove(id))));
	const labels = (n: number) => ({
		'com.docker.compose.project': stack.project,
		'com.docker.compose.service': `s${n}`,
		'com.docker.compose.container-number': '1',
		'com.docker.compose.oneoff': 'False',
		'holdfast.enable': 'true',
		'holdfast.volumes': '/data',
		'holdfast.sqlite': '/data/app.db',
		'holdfast.exclude': 'cache,*.log',
		'holdfast.schedule': `${n % 60} 3 * * *`,
	});
	await Promise.all(
		Array.from({length: count}, async (_, n) => {
			const options = {Image: image, Cmd: ['true'], Labels: labels(n), Volumes: {'/data': {}}};
			made.push(await engine.create(`${stack.project}-s${n}-1`, options));
		}),
	);

	const ask = async (path: string) => {
		const {times, body} = JSON.parse(await stack.exec('holdfast', 'node', '-e', timedApi, path)) as {times: number[]; body: string};
		return {
			best: Math.min(...times),
			median: times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN,
			times: times.map(ms => `${Math.round(ms)} ms`).join(', '),
			body,
		};
	};

	const targets = await ask('/api/v1/targets');
	const plans = await ask('/api/v1/plan');
	t.log(`targets: ${targets.times}`);
	t.log(`plans: ${plans.times}`);
	const found = JSON.parse(targets.body) as Array<{problems: unknown[]; sources: string[]}>;
	t.is(found.length, count);
	t.deepEqual(
		[...new Set(found.map(({problems, sources}) => JSON.stringify({problems, sources})))],
		[JSON.stringify({problems: [], sources: ['sqlite:/data/app.db', 'volume:/data']})],
	);
	const planned = JSON.parse(plans.body) as Array<{error?: string; sources?: unknown[]}>;
	t.deepEqual(
		planned.filter(({error, sources}) => error !== undefined || sources?.length !== 2),
		[],
	);
	t.is(planned.length, count);
	t.true(targets.median < 2000, targets.times);
	t.true(plans.median < 2000, plans.times);

	const metrics = await until('the metrics to know all of them', async () => {
		const answer = await ask('/metrics');
		return /^holdfast_targets(?:\{\})? 200$/m.test(answer.body) && answer;
	});
	t.log(`metrics: ${metrics.times}`);
	t.true(metrics.best < 50, metrics.times);
});

const rows = 3000;

/** Small where it lies, because it is compressed there, and 1 MB a row when it is dumped. */
const fill = `create table wide as select n, repeat(md5(n::text), 32768) as line from generate_series(1, ${rows}) n`;

const agentStatus = 'for p in /proc/[0-9]*; do grep -q "agent/main.ts" $p/cmdline && cat $p/status; done 2>/dev/null; true';

test.serial('the agent stays below 256 MiB while 3 GB flow into a slow repository, by a worker and through itself', async t => {
	t.timeout(15 * 60_000);
	const database = {
		image: await ensureImage('postgres:17'),
		environment: {POSTGRES_PASSWORD: 'secret'},
		command: ['postgres', '-c', 'fsync=off'],
		labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'postgres'},
	};
	// With the host's processes a container's file system cannot be found by a pid of its own, so its dump goes through docker exec.
	const stack = await startStack(t, {slowKey: true, services: {worker: database, exec: {...database, pid: 'host'}}});
	for (const service of ['worker', 'exec']) {
		await until('the server', async () => (await stack.exec(service, 'pg_isready', '--quiet', '--host=127.0.0.1')) === '', {
			timeout: 120_000,
		});
		await stack.exec(service, 'psql', '--username=postgres', '--quiet', '--command', fill);
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
				`network=${stack.project}_default`,
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
});
