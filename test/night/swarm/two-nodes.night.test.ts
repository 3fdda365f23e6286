/** stack.example.yml on two nodes: one agent on each, a bot that finds both, a service that moves, and one that prunes for both. Lane: waits. */
import test from 'ava';
import type {PruneResult, RestoreResult} from '../../../base/results.ts';
import type {PointView} from '../../../base/shapes/points.ts';
import type {RunView} from '../../../base/shapes/runs.ts';
import type {StatusView} from '../../../base/shapes/targets.ts';
import {docker} from '../../support/docker.ts';
import {canStartSecondEngine, type SecondEngine} from '../../support/machine/second-engine.ts';
import {hasVxlan} from '../../support/machine/vxlan.ts';
import {deployStack, idleTask} from '../../support/stack/deploy.ts';
import {startNodes} from '../../support/stack/two-nodes.ts';
import {until} from '../../support/until.ts';

const patience = {timeout: 180_000, interval: 500};

if (!(await canStartSecondEngine())) {
	test.skip('only root on Debian with a local engine can start two others', t => t.pass());
} else if (!(await hasVxlan())) {
	console.error('holdfast: NOTHING IS KNOWN OF SWARM WITH TWO NODES: this kernel has no VXLAN');
	test.skip('this kernel has no VXLAN', t => t.pass());
} else {
	test('an agent on each node, one bot, a service that moves, and one prune for both', async t => {
		t.timeout(25 * 60_000);
		const {engines, first, second, folder, app, swarm, taskOf, inTask, of, backUp, running} = await startNodes(t);

		// One service on one node, with a folder that both reach, and one on each with a volume of its own
		const labels = {'holdfast.enable': 'true', 'holdfast.volumes': 'true'};
		const onFirstOnly = {placement: {constraints: ['node.hostname == node-a']}};
		await deployStack(first, 'shop', {
			services: {
				app: idleTask(app, {volumes: [`${folder}/data:/data`], labels, deploy: onFirstOnly}),
				each: idleTask(app, {volumes: ['each:/data'], labels, deploy: {mode: 'global'}}),
			},
			volumes: {each: {}},
		});
		await Promise.all([running(first, 'shop_app'), running(first, 'shop_each'), running(second, 'shop_each')]);
		await inTask(first, 'shop_app', 'sh', '-c', 'echo "on a" >/data/file');
		await inTask(first, 'shop_each', 'sh', '-c', 'echo a >/data/which');
		await inTask(second, 'shop_each', 'sh', '-c', 'echo b >/data/which');

		// The bot sees both, wherever it is
		await until(
			'the bot',
			async () => (await Promise.all(engines.map(async engine => taskOf(engine, 'holdfast_bot')))).some(Boolean),
			patience,
		);
		const botsNode = (await taskOf(first, 'holdfast_bot')) === '' ? second : first;
		const fleet = async () =>
			JSON.parse(
				await inTask(botsNode, 'holdfast_bot', 'holdfast', 'fleet', 'status', '--json').catch(error => String(error.stdout || '[]')),
			) as Array<{
				host: string;
				error?: string;
			}>;
		await until(
			'both nodes to be in the fleet',
			async () =>
				(await fleet())
					.filter(({error}) => error === undefined)
					.map(({host}) => host)
					.toSorted()
					.join() === 'node-a,node-b',
			patience,
		);

		// Each node its own tasks
		const [onFirst, onSecond] = [await backUp(first), await backUp(second)];
		for (const {outcome, error} of [...onFirst, ...onSecond]) {
			t.is(outcome, 'success', error);
		}

		t.deepEqual(onFirst.map(({target}) => target).toSorted(), ['shop/app', 'shop/each']);
		t.deepEqual(
			onSecond.map(({target}) => target),
			['shop/each'],
		);
		const plain = async (...argv: string[]) =>
			inTask(
				first,
				'holdfast_agent',
				'sh',
				'-c',
				'RESTIC_PASSWORD_FILE=/run/secrets/holdfast-repository-password exec restic --repo /repository --no-lock "$@"',
				'restic',
				...argv,
			);
		for (const [result, content] of [
			[onFirst.find(({target}) => target === 'shop/each'), 'a'],
			[onSecond[0], 'b'],
		] as const) {
			t.is((await plain('dump', result?.sources[0]?.snapshot ?? '', '/shop/each/volume/data/which')).trim(), content);
		}

		// Moved to the other node: the same target there, with the points of before
		await swarm(
			'service',
			'update',
			'--detach',
			'--quiet',
			'--constraint-rm',
			'node.hostname == node-a',
			'--constraint-add',
			'node.hostname == node-b',
			'shop_app',
		);
		await running(second, 'shop_app');
		await until('it to be gone from the first', async () => (await taskOf(first, 'shop_app')) === '', patience);
		await inTask(second, 'shop_app', 'sh', '-c', 'echo "on b" >/data/file');
		const moved = (await backUp(second)).find(({target}) => target === 'shop/app');
		t.is(moved?.outcome, 'success', moved?.error);
		const points = (await of<PointView[]>(second, 'points')).filter(({target}) => target === 'shop/app');
		t.deepEqual(
			points.map(({host, own}) => [host, own]),
			[
				['node-b', true],
				['node-a', false],
			],
		);
		t.false(
			(await of<Array<{target: string}>>(first, 'targets')).some(({target}) => target === 'shop/app'),
			'one node has it',
		);

		// Who had it sees in the repository where it is, and misses it no more; what has a task on each node has not moved
		const standing = async () => of<StatusView[]>(first, 'status');
		await until(
			'the first to see who files it now',
			async () => (await standing()).find(({target}) => target === 'shop/app')?.movedTo?.host === 'node-b',
			{timeout: 12 * 60_000, interval: 2000},
		);
		t.is((await standing()).find(({target}) => target === 'shop/app')?.goneSince, undefined);
		t.is((await standing()).find(({target}) => target === 'shop/each')?.movedTo, undefined);

		// That of the other node is restored when it is named; a node that is no manager cannot stop a service, and says so
		const before = points.find(({host}) => host === 'node-a')?.point ?? '';
		const restore = ['restore', 'shop/app', '--point', before, '--yes', '--json'];
		const refused = await inTask(second, 'holdfast_agent', 'holdfast', ...restore).catch(error => `${error.stdout}${error.stderr}`);
		t.regex(refused, /manager/);
		t.is((await inTask(second, 'shop_app', 'cat', '/data/file')).trim(), 'on b', 'nothing was touched');
		await swarm('node', 'promote', 'node-b');
		await until(
			'the other node to be a manager',
			async () =>
				docker(['node', 'ls'], {host: second.host}).then(
					() => true,
					() => false,
				),
			patience,
		);
		const restored = JSON.parse(await inTask(second, 'holdfast_agent', 'holdfast', ...restore)) as RestoreResult;
		t.is(restored.outcome, 'success', restored.error);
		await running(second, 'shop_app');
		t.is((await inTask(second, 'shop_app', 'cat', '/data/file')).trim(), 'on a');

		// One of them prunes for both
		const prunes = async (engine: SecondEngine) =>
			(await of<RunView[]>(engine, 'runs', '--target', 'repository:primary', '--limit', '20')).flatMap(({operation, state, result}) =>
				operation === 'prune' && state === 'finished' ? [result as PruneResult] : [],
			);
		await until(
			'one to leave the prune to the other',
			async () =>
				(await Promise.all(engines.map(prunes))).flat().some(({outcome, doneBy}) => outcome === 'success' && doneBy !== undefined),
			{timeout: 10 * 60_000, interval: 2000},
		);
		t.deepEqual(
			(await Promise.all(engines.map(prunes))).flat().flatMap(({outcome, error}) => (outcome === 'success' ? [] : [error])),
			[],
		);
		t.regex(await plain('check', '--read-data'), /no errors were found/);
	});
}
