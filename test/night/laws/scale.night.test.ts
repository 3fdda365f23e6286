/** Many containers are found and planned at once, and the agent stays small however much flows past it. Lane: measures. */
import process from 'node:process';
import test from 'ava';
import {connectEngine} from '../../../docker/engine.ts';
import {ensureImage} from '../../support/images.ts';
import {agentStaysSmall} from '../../support/laws/memory-law.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

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

test.serial('the agent stays below 256 MiB while 3 GB flow into a slow repository, by a worker and through itself', async t => {
	t.timeout(15 * 60_000);
	await agentStaysSmall(t, 3000);
});
