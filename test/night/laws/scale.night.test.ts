/** Many containers are found and planned at once, and the agent stays small however much flows past it. Lane: measures. */
import test from 'ava';
import {agentStaysSmall} from '../../support/laws/memory-law.ts';
import {askOften, makeCrowd} from '../../support/stack/crowd.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

test.serial('200 labelled containers are found and planned within 2 s', async t => {
	const count = 200;
	const stack = await startStack(t, {slowKey: true, services: {}});
	t.teardown(await makeCrowd(stack, count));
	const ask = async (path: string) => {
		const {times, body} = await askOften(stack, path);
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
