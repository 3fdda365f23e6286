import test from 'ava';
import {explain} from '../../../base/errors.ts';
import type {Engine} from '../../../docker/engine.ts';
import {runningAmong, untilHealthy} from '../../../docker/health.ts';

type Seen = {state: string; health?: string; exitCode?: number; restartCount?: number};

const engineOf = (containers: Record<string, Seen>): Engine =>
	({
		inspect: async (id: string) => ({id, exitCode: 0, startedAt: '2026-11-30T00:00:00Z', healthPatienceMs: 0, ...containers[id]}),
	}) as unknown as Engine;

const named = (...ids: string[]) => ids.map(id => ({id, name: `shop-${id}-1`, swarm: undefined}));

test('who was not well before is known with what ails it', async t => {
	const engine = engineOf({
		good: {state: 'running'},
		looping: {state: 'restarting', exitCode: 3, restartCount: 17},
		sick: {state: 'running', health: 'unhealthy'},
		off: {state: 'exited'},
	});
	const {ran, well, unwell} = await runningAmong(engine, named('good', 'looping', 'sick', 'off'));
	t.deepEqual(ran, ['shop-good-1', 'shop-looping-1', 'shop-sick-1']);
	t.deepEqual(
		well.map(({id}) => id),
		['good'],
	);
	t.deepEqual(
		[...unwell],
		[
			['looping', 'was restarting over and over (exit code 3, 17 times)'],
			['sick', 'was unhealthy'],
		],
	);
});

test('one that does not run after a restore, and did not before, is said to be as it was, with the command that shows why', async t => {
	const engine = engineOf({looping: {state: 'exited', exitCode: 3}, good: {state: 'exited', exitCode: 1}});
	const before = new Map([['looping', 'was restarting over and over (exit code 3, 17 times)']]);
	const told = async (...ids: string[]) => untilHealthy(engine, named(...ids), before).catch(explain);
	t.is(
		await told('looping'),
		'container `shop-looping-1` is exited (exit code 3) after the restore, as it did not run well before either: it was restarting over and over (exit code 3, 17 times) (what was restored is in place; why it does not run: docker logs shop-looping-1)',
	);
	t.is(await told('good'), 'container `shop-good-1` is exited (exit code 1) after the restore (why: docker logs shop-good-1)');
});
