/** stack.example.yml on two nodes: one agent on each, a bot that finds both, a service that moves, and one that prunes for both. Lane: waits. */
import {mkdir, mkdtemp, readFile, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import {parse, stringify} from 'yaml';
import type {BackupResult, PruneResult, RestoreResult} from '../../../base/results.ts';
import type {PointView} from '../../../base/shapes/points.ts';
import type {RunView} from '../../../base/shapes/runs.ts';
import type {StatusView} from '../../../base/shapes/targets.ts';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {canStartSecondEngine, type SecondEngine, startSecondEngine} from '../../support/machine/second-engine.ts';
import {hasVxlan} from '../../support/machine/vxlan.ts';
import {hardlyEver} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const image = process.env.HOLDFAST_TEST_IMAGE ?? 'holdfast:dev';
const patience = {timeout: 180_000, interval: 500};
const addresses = ['10.213.9.1', '10.213.9.2'] as const;

/** A cable between the two. */
async function connect(engines: readonly SecondEngine[]): Promise<void> {
	const [a, b] = engines.map(({namespace}) => namespace) as [string, string];
	await execa('ip', ['link', 'add', 'cable', 'netns', a, 'type', 'veth', 'peer', 'name', 'cable', 'netns', b]);
	for (const [index, {namespace}] of engines.entries()) {
		await execa('ip', ['-netns', namespace, 'addr', 'add', `${addresses[index]}/24`, 'dev', 'cable']);
		await execa('ip', ['-netns', namespace, 'link', 'set', 'cable', 'up']);
	}
}

interface StackFile {
	services: Record<'agent' | 'bot', {image: string; environment: Record<string, string>; volumes: unknown[]}>;
	networks: Record<string, Record<string, unknown>>;
}

async function deploy(t: ExecutionContext, [first, second]: readonly [SecondEngine, SecondEngine]): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), 'holdfast-swarm-'));
	t.teardown(async () => rm(folder, {recursive: true, force: true}));
	await mkdir(join(folder, 'repository'));
	await mkdir(join(folder, 'data'));
	await symlink(first.socket, join(folder, 'node-a.sock'));
	await symlink(second.socket, join(folder, 'node-b.sock'));
	const {host} = first;
	for (const name of ['api-token', 'repository-password', 'slack-bot-token', 'slack-app-token']) {
		const file = join(folder, name);
		await writeFile(file, {'slack-bot-token': 'xoxb-1', 'slack-app-token': 'xapp-1'}[name] ?? 'of-both-nodes-and-long');
		await docker(['secret', 'create', `holdfast-${name}`, file], {host});
	}

	const example = parse(await readFile(new URL('../../../stack.example.yml', import.meta.url), 'utf8')) as StackFile;
	const {agent, bot} = example.services;
	agent.image = image;
	bot.image = image;
	// Both engines are of one machine: each has its own socket, and a folder stands for a server that both reach.
	agent.volumes = agent.volumes.map(volume =>
		volume === '/var/run/docker.sock:/var/run/docker.sock'
			? {type: 'bind', source: `${folder}/{{.Node.Hostname}}.sock`, target: '/var/run/docker.sock'}
			: volume === 'repository:/repository'
				? `${folder}/repository:/repository`
				: volume,
	);
	Object.assign(agent.environment, {
		...hardlyEver,
		HOLDFAST_HOST: '{{.Node.Hostname}}',
		// What another did counts for a quarter of the interval.
		HOLDFAST_PRUNE_SCHEDULE: '*/3 * * * *',
		// No folder, as restic sees it: workers join the network of their agent.
		RESTIC_REPOSITORY: 'rclone::local:/repository',
	});
	// What the kernel of a small machine lacks.
	example.networks.agents = {...example.networks.agents, driver_opts: {}};
	await docker(
		[
			'run',
			'--rm',
			'--entrypoint=restic',
			'--volume',
			`${folder}/repository:/repository`,
			'--env=RESTIC_REPOSITORY=/repository',
			'--env=RESTIC_PASSWORD=of-both-nodes-and-long',
			image,
			'init',
		],
		{host},
	);
	const stack = join(folder, 'stack.yml');
	await writeFile(stack, stringify(example));
	await docker(['stack', 'deploy', '--resolve-image=never', '--compose-file', stack, 'holdfast'], {host});
	return folder;
}

if (!(await canStartSecondEngine())) {
	test.skip('only root on Debian with a local engine can start two others', t => t.pass());
} else if (!(await hasVxlan())) {
	console.error('holdfast: NOTHING IS KNOWN OF SWARM WITH TWO NODES: this kernel has no VXLAN');
	test.skip('this kernel has no VXLAN', t => t.pass());
} else {
	test('an agent on each node, one bot, a service that moves, and one prune for both', async t => {
		t.timeout(25 * 60_000);
		const app = await ensureImage('holdfast-test/app:latest');
		const engines = [await startSecondEngine({hostname: 'node-a'}), await startSecondEngine({hostname: 'node-b'})] as const;
		const [first, second] = engines;
		for (const engine of engines) {
			t.teardown(engine.remove);
			t.teardown(async () => docker(['swarm', 'leave', '--force'], {host: engine.host}).catch(() => {}));
			await engine.load([app, image]);
		}

		await connect(engines);
		const swarm = async (...argv: string[]) => docker(argv, {host: first.host});
		await swarm('swarm', 'init', '--advertise-addr', addresses[0]);
		const token = await swarm('swarm', 'join-token', '--quiet', 'worker');
		await docker(['swarm', 'join', '--token', token, '--advertise-addr', addresses[1], `${addresses[0]}:2377`], {host: second.host});
		const folder = await deploy(t, engines);

		const taskOf = async ({host}: SecondEngine, service: string) =>
			(
				await docker(['ps', '--quiet', '--filter', `label=com.docker.swarm.service.name=${service}`, '--filter', 'status=running'], {host})
			).split('\n')[0] ?? '';
		const inTask = async (engine: SecondEngine, service: string, ...argv: string[]) =>
			docker(['exec', await taskOf(engine, service), ...argv], {host: engine.host, timeout: 300_000});
		const of = async <Shape>(engine: SecondEngine, ...argv: string[]): Promise<Shape> =>
			JSON.parse(await inTask(engine, 'holdfast_agent', 'holdfast', ...argv, '--json')) as Shape;
		const backUp = async (engine: SecondEngine): Promise<BackupResult[]> =>
			(await inTask(engine, 'holdfast_agent', 'holdfast', 'backup', '--all', '--json'))
				.split('\n')
				.filter(Boolean)
				.map(line => JSON.parse(line) as BackupResult);
		const ready = async (engine: SecondEngine) =>
			until(
				'the agent',
				async () =>
					inTask(engine, 'holdfast_agent', 'holdfast', 'healthcheck').then(
						() => true,
						() => false,
					),
				patience,
			);
		await Promise.all(engines.map(ready));

		// One service on one node, with a folder that both reach, and one on each with a volume of its own
		const shop = join(folder, 'shop.yml');
		const labels = {'holdfast.enable': 'true', 'holdfast.volumes': 'true'};
		await writeFile(
			shop,
			stringify({
				version: '3.8',
				services: {
					app: {
						image: app,
						init: true,
						stop_grace_period: '1s',
						command: ['sleep', 'infinity'],
						volumes: [`${folder}/data:/data`],
						labels,
						deploy: {placement: {constraints: ['node.hostname == node-a']}},
					},
					each: {
						image: app,
						init: true,
						stop_grace_period: '1s',
						command: ['sleep', 'infinity'],
						volumes: ['each:/data'],
						labels,
						deploy: {mode: 'global'},
					},
				},
				volumes: {each: {}},
			}),
		);
		await swarm('stack', 'deploy', '--resolve-image=never', '--compose-file', shop, 'shop');
		const running = async (engine: SecondEngine, service: string) =>
			until(`${service} to run`, async () => (await taskOf(engine, service)) !== '', patience);
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
