import test from 'ava';
import {divide} from '../../../../agent/overview/neighbours.ts';
import {createAgentFinder, type EngineAgent, serverOf} from '../../../../agent/targets/agents.ts';
import type {Target} from '../../../../agent/targets/target.ts';
import type {Container} from '../../../../docker/container.ts';
import type {ContainerDetails} from '../../../../docker/details.ts';

const agent = (name: string, project?: string, ...projects: string[]): EngineAgent => ({
	id: `id-${name}`,
	name,
	project,
	projects,
	isRunning: true,
});

test('the agent of the own project serves, else one that names it, else the first of those that look after everything', t => {
	const agents = [agent('z', 'shop'), agent('b'), agent('a', 'blog'), agent('y', 'infra', 'wiki')];
	t.is(serverOf('shop', agents)?.name, 'z');
	t.is(serverOf('blog', agents)?.name, 'a');
	t.is(serverOf('wiki', agents)?.name, 'y');
	t.is(serverOf('other', agents)?.name, 'a');
	t.is(serverOf(undefined, agents)?.name, 'a');
	t.is(serverOf('other', [agent('y', 'other', 'wiki')]), undefined, 'one that does not look at its own project');
});

test('each target is served by exactly one, as each of the agents sees it', t => {
	const agents = [agent('a', 'blog'), agent('b', 'shop'), agent('c', 'infra', 'shop', 'wiki')];
	const targets = [
		{name: 'shop/db', project: 'shop'},
		{name: 'blog/app', project: 'blog'},
		{name: 'wiki/db', project: 'wiki'},
		{name: 'lone', project: undefined},
	] as Target[];
	const served = agents.flatMap(self => {
		const seen = targets.filter(({project}) => serverOf(project, [self]) !== undefined);
		const {elsewhere} = divide(
			seen,
			agents.filter(other => other !== self),
			self,
		);
		return seen.filter(({name}) => !elsewhere.has(name)).map(({name}) => `${self.name} ${name}`);
	});
	t.deepEqual(served.sort(), ['a blog/app', 'a lone', 'b shop/db', 'c wiki/db']);
});

test('another agent is named with what it serves', t => {
	const {others} = divide([{name: 'shop/db', project: 'shop'}] as Target[], [agent('b', 'shop'), agent('c', 'x', 'x')], agent('a'));
	t.is(others.length, 1);
	t.like(others[0], {agent: 'b', isAlive: true, finding: {level: 'warning', subject: 'b'}});
	t.regex(others[0]?.finding.message ?? '', /looks after 1 of the same targets: it serves `shop\/db`/);
});

const container = (name: string, change: Partial<Container> = {}) =>
	({id: name, name, state: 'running', labels: {'org.opencontainers.image.title': 'Holdfast'}, ...change}) as Container;

const socket = [{path: '/var/run/docker.sock'}] as unknown as ContainerDetails['mounts'];

test('an agent is a container of the image that has an engine; workers, the bot and agents for other labels are none', async t => {
	const details: Record<string, Partial<ContainerDetails>> = {
		one: {env: {HOLDFAST_PROJECTS: 'shop, blog'}, mounts: socket},
		proxied: {env: {DOCKER_HOST: 'tcp://proxy:2375'}, mounts: []},
		bot: {env: {}, mounts: []},
		prefixed: {env: {HOLDFAST_LABEL_PREFIX: 'other.'}, mounts: socket},
	};
	let asked = 0;
	let now = 0;
	const find = createAgentFinder(
		{
			inspect: async id => {
				asked++;
				return details[id] as ContainerDetails;
			},
		},
		{containerId: 'self', stateDirectory: '/state', prefix: 'holdfast.'},
		() => now,
	);
	const all = [
		...['self', ...Object.keys(details)].map(name => container(name)),
		container('worker', {labels: {'org.opencontainers.image.title': 'Holdfast', 'holdfast.worker': 'run'}}),
		container('other', {labels: {}}),
	];
	t.deepEqual(
		(await find(all)).map(({name, projects}) => ({name, projects})),
		[
			{name: 'one', projects: ['shop', 'blog']},
			{name: 'proxied', projects: []},
		],
	);
	await find(all);
	t.is(asked, 4, 'each is asked for once');
	now = 10 * 60_000;
	t.deepEqual(
		(await find([])).map(({name, isRunning}) => ({name, isRunning})),
		[
			{name: 'one', isRunning: false},
			{name: 'proxied', isRunning: false},
		],
		'one that is being updated keeps its targets',
	);
	now = 16 * 60_000;
	t.deepEqual(await find([]), []);
});

const stateOn = (volume: string) =>
	[
		...socket,
		{type: 'volume', path: '/state', volume, hostPath: `/var/lib/docker/volumes/${volume}/_data`, readWrite: true},
	] as unknown as ContainerDetails['mounts'];

test('who waits for the very state of this one takes no target from it, whatever its name, and is forgotten with its container', async t => {
	const details: Record<string, Partial<ContainerDetails>> = {
		self: {env: {}, mounts: stateOn('state')},
		'a-new-one': {env: {}, mounts: stateOn('state')},
		'a-rival': {env: {}, mounts: stateOn('another')},
	};
	const find = createAgentFinder(
		{inspect: async id => details[id] as ContainerDetails},
		{
			containerId: 'self',
			stateDirectory: '/state',
			prefix: 'holdfast.',
		},
	);
	const self = agent('self');
	const targets = [{name: 'lone', project: undefined}] as Target[];
	const waiting = await find([container('self'), container('a-new-one')]);
	const {elsewhere, others} = divide(targets, waiting, self);
	t.is(elsewhere.size, 0);
	t.deepEqual(
		others.map(({agent: name, finding}) => [name, /waits until this one has ended/.test(finding.message)]),
		[['a-new-one', true]],
	);
	t.deepEqual(await find([container('self')]), []);
	t.is(divide(targets, await find([container('self'), container('a-rival')]), self).elsewhere.get('lone'), 'a-rival');
});

test('an agent that is a task of Swarm is known by its service: each of its tasks has another name', async t => {
	const find = createAgentFinder(
		{inspect: async () => ({env: {}, mounts: socket}) as unknown as ContainerDetails},
		{
			containerId: 'self',
			stateDirectory: '/state',
			prefix: 'holdfast.',
		},
	);
	const task = (id: string) => container(`backup_agent.1.${id}`, {swarm: {service: 'x'.repeat(25), name: 'backup_agent'}});
	await find([task('one')]);
	t.deepEqual(
		(await find([task('two')])).map(({name, isRunning}) => ({name, isRunning})),
		[{name: 'backup_agent', isRunning: true}],
	);
});
