import test from 'ava';
import fc from 'fast-check';
import {discoverTargets, findStrayLabels} from '../../../../agent/targets/discovery.ts';
import type {Container} from '../../../../docker/container.ts';
import {containerFromList, type ListedContainer} from '../../../../docker/container.ts';

interface Sketch extends Partial<Omit<ListedContainer, 'Labels'>> {
	project?: string;
	service?: string;
	number?: number;
	labels?: Record<string, string>;
	compose?: Record<string, string>;
}

function sketch(name: string, {project, service, number, labels = {}, compose = {}, ...rest}: Sketch = {}): Container {
	const claimed = {
		...(project === undefined ? {} : {project}),
		...(service === undefined ? {} : {service}),
		...(number === undefined ? {} : {'container-number': String(number)}),
		...compose,
	};
	return containerFromList({
		Id: `id-${name}`,
		Names: [`/${name}`],
		Image: 'image',
		ImageID: 'sha256:1',
		Created: 0,
		State: 'running',
		Mounts: [],
		...rest,
		Labels: {
			...Object.fromEntries(Object.entries(labels).map(([label, value]) => [`holdfast.${label}`, value])),
			...Object.fromEntries(Object.entries(claimed).map(([label, value]) => [`com.docker.compose.${label}`, value])),
		},
	});
}

const enable = {enable: 'true'};
const names = (targets: ReturnType<typeof discoverTargets>) => targets.map(({name}) => name);
const messages = (targets: ReturnType<typeof discoverTargets>) => targets.flatMap(({problems}) => problems.map(({message}) => message));

test('an entry of the engine becomes a container', t => {
	t.deepEqual(
		containerFromList({
			Id: 'abc',
			Names: ['/other/alias', '/demo-app-1'],
			Image: 'app:1',
			ImageID: 'sha256:2',
			State: 'exited',
			Created: 1_700_000_000,
			Labels: {
				'com.docker.compose.project': 'demo',
				'com.docker.compose.service': 'app',
				'com.docker.compose.depends_on': 'db:service_healthy:false,cache:service_started:true,../x:a:b,db:again',
			},
			Mounts: [
				{Type: 'volume', Name: 'demo_data', Source: '/var/lib/docker/volumes/demo_data/_data', Destination: '/data/', RW: true},
				{Type: 'bind', Source: '/srv//app/', Destination: '/srv', RW: false},
				{Type: 'tmpfs', Source: '', Destination: '/tmp', RW: true},
				{Type: 'npipe', Source: 'x', Destination: '/pipe', RW: true},
				{Type: 'cluster', Name: 'c', Source: '', Destination: '/cluster', RW: true},
				{Type: 'volume', Name: 'remote', Source: '', Destination: '/remote', RW: true},
			],
		}),
		{
			id: 'abc',
			name: 'demo-app-1',
			image: 'app:1',
			imageId: 'sha256:2',
			state: 'exited',
			createdAt: 1_700_000_000_000,
			project: 'demo',
			service: 'app',
			dependsOn: ['db', 'cache'],
			restartsWith: ['cache'],
			livesIn: [],
			labels: {
				'com.docker.compose.project': 'demo',
				'com.docker.compose.service': 'app',
				'com.docker.compose.depends_on': 'db:service_healthy:false,cache:service_started:true,../x:a:b,db:again',
			},
			mounts: [
				{type: 'volume', volume: 'demo_data', hostPath: '/var/lib/docker/volumes/demo_data/_data', path: '/data', readWrite: true},
				{type: 'bind', volume: undefined, hostPath: '/srv/app', path: '/srv', readWrite: false},
				{type: 'volume', volume: 'remote', hostPath: '', path: '/remote', readWrite: true},
			],
		},
	);
});

test('a service of Swarm without a stack is a target of its own name, whatever its containers are called', t => {
	const swarm = (service: string) => ({
		'com.docker.swarm.task.id': 't'.repeat(25),
		'com.docker.swarm.service.id': 's'.repeat(25),
		'com.docker.swarm.service.name': service,
		'holdfast.enable': 'true',
	});
	const task = (Id: string) =>
		containerFromList({Id, Names: [`/web.1.${Id}`], Image: '', ImageID: '', State: 'running', Created: 1, Labels: swarm('web')});
	t.deepEqual(names(discoverTargets([task('first')])), ['web']);
	t.deepEqual(
		discoverTargets([task('first'), task('second')]).map(({members: [{replicas}]}) => replicas.length),
		[2],
	);
});

test('an entry may lack what an engine leaves out', t => {
	const container = containerFromList({
		Id: '0123456789abcdef',
		Names: null,
		Image: '',
		ImageID: '',
		Created: 0,
		State: 'removing',
		Labels: null,
		Mounts: null,
	});
	t.is(container.name, '0123456789ab');
	t.deepEqual([container.labels, container.mounts, container.dependsOn, container.project], [{}, [], [], undefined]);
});

test('targets are services and lone containers that are enabled, sorted by name', t => {
	const targets = discoverTargets([
		sketch('z', {labels: enable}),
		sketch('demo-web-1', {project: 'demo', service: 'web', labels: enable, State: 'exited'}),
		sketch('demo-db-1', {project: 'demo', service: 'db', labels: {enable: 'false', sqlite: 'nonsense'}}),
		sketch('demo-cache-1', {project: 'demo', service: 'cache'}),
		sketch('demo-App-1', {project: 'demo', service: 'App', labels: enable}),
	]);
	t.deepEqual(names(targets), ['demo/App', 'demo/web', 'z']);
	t.deepEqual(messages(targets), []);
	t.is(targets[2]?.project, undefined);
	t.is(targets[0]?.project, 'demo');
});

test('an enable that is neither true nor false is a target with a problem', t => {
	const targets = discoverTargets([sketch('a', {labels: {enable: 'yes'}})]);
	t.deepEqual(names(targets), ['a']);
	t.regex(messages(targets)[0] ?? '', /`a`: `holdfast\.enable` must be `true` or `false`, got "yes"/);
});

test('one-offs and workers are no targets', t => {
	t.deepEqual(
		discoverTargets([
			sketch('run', {project: 'demo', service: 'app', labels: enable, compose: {oneoff: 'True'}}),
			sketch('worker', {labels: {...enable, worker: '01J'}}),
		]),
		[],
	);
	t.deepEqual(names(discoverTargets([sketch('app', {project: 'demo', service: 'app', labels: enable, compose: {oneoff: 'False'}})])), [
		'demo/app',
	]);
});

test('replicas are one member: a running one first, then the lowest number', t => {
	const replica = (number: number, State: string) =>
		sketch(`app-${number}`, {project: 'demo', service: 'app', number, State, labels: enable});
	const [target, ...others] = discoverTargets([replica(10, 'running'), replica(2, 'running'), replica(1, 'exited')]);
	t.deepEqual(others, []);
	t.is(target?.members.length, 1);
	t.is(target?.members[0].container.name, 'app-2');
	t.deepEqual(
		target?.members[0].replicas.map(({name}) => name),
		['app-2', 'app-10', 'app-1'],
	);
	t.is(discoverTargets([replica(2, 'exited'), replica(1, 'exited')])[0]?.members[0].container.name, 'app-1');
});

test('a replica that is not labelled is a replica all the same, but its labels do not count', t => {
	const [target] = discoverTargets([
		sketch('app-1', {project: 'demo', service: 'app', number: 1}),
		sketch('app-2', {project: 'demo', service: 'app', number: 2, State: 'exited', labels: {...enable, tar: '/etc'}}),
	]);
	t.is(target?.members[0].container.name, 'app-2');
	t.deepEqual(target?.members[0].policy.sources.tar, ['/etc']);
	t.is(target?.members[0].replicas.length, 2);
});

const member = (service: string, labels: Record<string, string>, project = 'demo') =>
	sketch(`${project}-${service}-1`, {project, service, labels: {...enable, ...labels}});

test('a group is one target of its project', t => {
	const targets = discoverTargets([
		member('web', {group: 'stack', keep: 'last=3,daily=7'}),
		member('db', {group: 'stack', schedule: '@daily', keep: 'daily=7,last=3', 'quiesce.timeout': '1m'}),
		member('other', {group: 'stack'}, 'second'),
		member('alone', {}),
	]);
	t.deepEqual(names(targets), ['demo/alone', 'demo/stack', 'second/stack']);
	t.deepEqual(messages(targets), []);
	const stack = targets[1];
	t.deepEqual(
		stack?.members.map(({service, prefix}) => [service, prefix]),
		[
			['db', 'db/'],
			['web', 'web/'],
		],
	);
	t.deepEqual(stack?.policy, {
		schedule: '0 0 * * *',
		scheduleCold: undefined,
		keep: {last: 3, daily: 7},
		copies: undefined,
		ping: undefined,
		quiesceTimeoutMs: 60_000,
		drill: undefined,
		restoreWarning: undefined,
	});
	t.deepEqual(
		targets[0]?.members.map(({prefix}) => prefix),
		[''],
	);
});

for (const [label, one, two] of [
	['schedule', '@daily', '@hourly'],
	['keep', 'last=1', 'last=2'],
	['copies', 'a', 'b'],
	['drill', '@daily', '@weekly'],
	['quiesce.timeout', '1m', '2m'],
	['restore.warning', 'a', 'b'],
]) {
	test(`a group whose members differ in ${label} is a problem`, t => {
		const found = discoverTargets([
			member('a', {group: 'g', [label ?? '']: one ?? ''}),
			member('b', {group: 'g'}),
			member('c', {group: 'g', [label ?? '']: two ?? ''}),
		]);
		t.deepEqual(messages(found), [
			`\`demo/g\`: \`holdfast.${label}\` must be the same on every service of the group, got ${JSON.stringify(one)} on \`a\` and ${JSON.stringify(two)} on \`c\``,
		]);
	});
}

test('each member of a group has its own quiesce mode', t => {
	t.deepEqual(messages(discoverTargets([member('a', {group: 'g', quiesce: 'stop'}), member('b', {group: 'g', quiesce: 'none'})])), []);
});

test('problems of the members are problems of the target, each with its service', t => {
	t.deepEqual(
		messages(discoverTargets([member('a', {group: 'g', sqlite: 'x'}), member('b', {group: 'g', tar: 'y'})])).map(message =>
			message.slice(0, 10),
		),
		['`demo/a`: ', '`demo/b`: '],
	);
});

test('a group may have the name of one of its services, but not that of another target', t => {
	const fine = discoverTargets([member('db', {group: 'db'}), member('app', {group: 'db'})]);
	t.deepEqual([names(fine), messages(fine)], [['demo/db'], []]);
	const clash = discoverTargets([member('db', {}), member('app', {group: 'db'})]);
	t.deepEqual(names(clash), ['demo/db']);
	t.regex(messages(clash)[0] ?? '', /`demo\/db`: `holdfast\.group` must not be the name of a service that is a target itself, got "db"/);
});

test('a group outside Compose is a problem', t => {
	const targets = discoverTargets([sketch('a', {labels: {...enable, group: 'g'}})]);
	t.deepEqual(names(targets), ['a']);
	t.regex(messages(targets)[0] ?? '', /`a`: `holdfast\.group` must be on a Compose service, got "g"/);
	t.is(targets[0]?.members[0].prefix, '');
});

test('Compose labels that are not well-formed are not believed', t => {
	for (const compose of [
		{project: '../etc', service: 'app'},
		{project: 'Demo', service: 'app'},
		{project: 'demo', service: 'a/b'},
		{project: 'demo', service: 'a\nb'},
		{project: 'demo', service: ''},
		{project: '', service: 'app'},
		{project: 'demo'},
		{service: 'app'},
	]) {
		const container = sketch('x', {labels: enable, compose: compose as Record<string, string>});
		t.is(container.project, undefined);
		t.is(container.service, undefined);
		const targets = discoverTargets([container]);
		t.deepEqual(names(targets), ['x']);
		t.regex(messages(targets)[0] ?? '', /`x`: its Compose labels must name a project and a service, got "com\.docker\.compose\./);
		t.deepEqual(discoverTargets([sketch('x', {compose: compose as Record<string, string>})]), []);
	}
});

test('names that a worker has itself are reserved', t => {
	for (const name of ['proc', 'sys']) {
		t.regex(
			messages(discoverTargets([member('app', {}, name)]))[0] ?? '',
			/is reserved: its files are shown to restic under \/(proc|sys)$/,
		);
		t.regex(messages(discoverTargets([sketch(name, {labels: enable})]))[0] ?? '', /is reserved/);
	}

	t.deepEqual(messages(discoverTargets([member('proc', {group: 'sys'}), member('cache', {}, 'cache'), member('app', {}, 'dev')])), []);
	t.regex(messages(discoverTargets([member('app', {}, 'cache')], {reserved: ['cache']}))[0] ?? '', /`cache` is reserved/);
});

test('a scope leaves out other projects and containers outside Compose', t => {
	const containers = [member('a', {}, 'one'), member('a', {}, 'two'), sketch('lone', {labels: enable})];
	t.deepEqual(names(discoverTargets(containers, {projects: ['two']})), ['two/a']);
	t.deepEqual(names(discoverTargets(containers, {projects: []})), ['lone', 'one/a', 'two/a']);
});

test('another prefix', t => {
	const container = {...sketch('a'), labels: {'backup.enable': 'true', 'backup.tar': '/etc', 'holdfast.nonsense': 'x'}};
	const [target] = discoverTargets([container], {prefix: 'backup.'});
	t.deepEqual([target?.members[0].policy.sources.tar, target?.problems], [['/etc'], []]);
	t.deepEqual(discoverTargets([container]), []);
});

test('labels without enable make no target, and are found for the doctor', t => {
	const containers = [
		sketch('a', {labels: {sqlite: 'x', volumes: 'true'}}),
		sketch('b', {labels: {...enable, sqlite: '/a'}}),
		sketch('c', {labels: {enable: 'false', sqlite: '/a'}}),
		sketch('d', {labels: {worker: '1', agent: '2'}}),
		sketch('e'),
	];
	t.deepEqual(names(discoverTargets(containers)), ['b']);
	t.deepEqual(
		findStrayLabels(containers).map(({container, labels}) => [container.name, labels]),
		[['a', ['holdfast.sqlite', 'holdfast.volumes']]],
	);
});

const hostile = fc.oneof(
	fc.string({unit: 'binary', maxLength: 12}),
	fc.constantFrom('demo', 'app', 'db', 'true', '../x', 'a/b', 'g', 'proc', '__proto__'),
);

test('whatever the labels are: no throw, names are unique, sorted and harmless, and no container is in two targets', t => {
	const container = fc
		.record({
			labels: fc.dictionary(fc.constantFrom('enable', 'group', 'schedule', 'sqlite', 'keep', 'x'), hostile, {maxKeys: 4}),
			compose: fc.dictionary(fc.constantFrom('project', 'service', 'container-number', 'oneoff', 'depends_on'), hostile),
			State: fc.constantFrom('running', 'exited', 'paused'),
		})
		.map(({labels, ...rest}) => ({...rest, labels: {enable: 'true', ...labels}}));
	fc.assert(
		fc.property(fc.array(container, {maxLength: 8}), sketches => {
			const targets = discoverTargets(sketches.map((one, index) => sketch(`c${index}`, one)));
			t.deepEqual(names(targets), [...new Set(names(targets))].sort());
			const members = targets.flatMap(target => target.members.flatMap(({replicas}) => replicas.map(({id}) => id)));
			t.is(new Set(members).size, members.length);
			for (const {name, problems} of targets) {
				t.regex(name, /^[a-zA-Z0-9][a-zA-Z0-9._-]*(?:\/[a-zA-Z0-9][a-zA-Z0-9._-]*)?$/);
				t.true(problems.every(({message}) => !/[\u0000-\u001f]/.test(message)));
			}
		}),
		{numRuns: 300},
	);
});
