/** stack.example.yml on two nodes, each an engine of its own on this machine, with a cable between them. */
import {mkdir, mkdtemp, readFile, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {execa} from 'execa';
import {parse} from 'yaml';
import type {BackupResult} from '../../../base/results.ts';
import {docker} from '../docker.ts';
import {ensureImage} from '../images.ts';
import {type SecondEngine, startSecondEngine} from '../machine/second-engine.ts';
import {hardlyEver} from '../stack.ts';
import {until} from '../until.ts';
import {deployStack} from './deploy.ts';

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

async function deploy(t: Pick<ExecutionContext, 'teardown'>, [first, second]: readonly [SecondEngine, SecondEngine]): Promise<string> {
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
	await deployStack(first, 'holdfast', example);
	return folder;
}

/** Two engines that are one Swarm, whose manager is the first. */
export async function joinNodes(t: Pick<ExecutionContext, 'teardown'>) {
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
	const taskOf = async ({host}: SecondEngine, service: string) =>
		(
			await docker(['ps', '--quiet', '--filter', `label=com.docker.swarm.service.name=${service}`, '--filter', 'status=running'], {host})
		).split('\n')[0] ?? '';
	const running = async (engine: SecondEngine, service: string) =>
		until(`${service} to run`, async () => (await taskOf(engine, service)) !== '', patience);
	return {
		engines,
		first,
		second,
		/** The image of an application. */
		app,
		/** The docker command line on the manager. */
		swarm,
		/** Id of the container of a service's task on a node; empty: none runs there. */
		taskOf,
		running,
	};
}

/** An agent runs on each, and both file into one repository. */
export async function startNodes(t: Pick<ExecutionContext, 'teardown'>) {
	const nodes = await joinNodes(t);
	const {engines, taskOf} = nodes;
	const folder = await deploy(t, engines);
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

	return {
		...nodes,
		/** Both reach it. */
		folder,
		inTask,
		/** What a command of the agent on a node prints with `--json`. */
		of,
		backUp,
		ready,
	};
}
