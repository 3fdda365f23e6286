/** What would protect services that nobody has labelled. */
import test from 'ava';
import {knownServers} from '../../../../agent/sources/kinds.ts';
import {recognise} from '../../../../agent/sources/recognise.ts';
import {discoverTargets} from '../../../../agent/targets/discovery.ts';
import {parseLabels} from '../../../../agent/targets/labels.ts';
import {groupServers, suggestLabels} from '../../../../agent/targets/suggest.ts';
import type {Container, Mount} from '../../../../docker/container.ts';

const volume = (name: string, path: string, readWrite = true): Mount => ({
	type: 'volume',
	volume: name,
	hostPath: `/var/lib/docker/volumes/${name}/_data`,
	path,
	readWrite,
});

const service = (name: string, more: Partial<Container> = {}): Container => ({
	id: name,
	name: `shop-${name}-1`,
	image: name,
	imageId: `sha256:${name}`,
	state: 'running',
	createdAt: 0,
	project: 'shop',
	service: name,
	dependsOn: [],
	labels: {},
	mounts: [],
	...more,
});

function suggest(containers: Container[], {programs = {}, isSure = false}: {programs?: Record<string, string[]>; isSure?: boolean} = {}) {
	return suggestLabels({
		containers,
		programs: new Map(Object.entries(programs)),
		self: 'holdfast',
		dataRoot: '/var/lib/docker',
		prefix: 'holdfast.',
		isSure,
		isWanted: ({project}) => project === 'shop',
	});
}

const summary = (found: ReturnType<typeof suggest>) =>
	Object.fromEntries(found.map(({container, labels}) => [container.service, labels] as const));

for (const [image, processes, ports, title, by] of [
	['registry.example:5000/team/db@sha256:00', ['tini', 'mysqld'], [], 'MariaDB', /process `mysqld`/],
	['postgres:17-alpine', undefined, [], 'PostgreSQL', /image/],
	['bitnami/mongodb:7', undefined, [], 'MongoDB', /image/],
	['own/thing', undefined, [5432], 'PostgreSQL', /port 5432/],
	['own/thing', ['mongod'], [5432], 'MongoDB', /process/],
	['postgres:17', ['sleep'], [5432], undefined, undefined],
	['prom/mysqld-exporter', undefined, [9104], undefined, undefined],
	['mongo-express:1', undefined, [8081], undefined, undefined],
	['prodrigestivill/postgres-backup-local', undefined, [], undefined, undefined],
	['app', undefined, [], undefined, undefined],
] as const) {
	test(`${image} with ${String(processes)} is ${title ?? 'no server'}`, t => {
		const found = recognise({image, ports: [...ports]}, knownServers, processes);
		t.is(found?.server.title, title);
		t.regex(found?.by ?? '', by ?? /^$/);
	});
}

test('every proposal is one that the labels allow', t => {
	for (const {title, labels} of knownServers) {
		const prefixed = Object.fromEntries(Object.entries(labels).map(([name, value]) => [`holdfast.${name}`, value]));
		t.deepEqual(parseLabels(prefixed, {subject: title}).problems, [], title);
	}
});

test('a server by its dump, files by their volume, and a reason each', t => {
	const found = suggest(
		[
			service('db', {image: 'postgres:17', mounts: [volume('pg', '/var/lib/postgresql/data')]}),
			service('app', {mounts: [volume('up', '/uploads'), volume('lib', '/lib', false)]}),
			service('none'),
		],
		{programs: {db: ['postgres'], app: ['node'], none: ['node']}},
	);
	t.deepEqual(summary(found), {db: {postgres: 'true'}, app: {}});
	t.deepEqual(found.find(({container}) => container.id === 'app')?.why, ['writes the volume "up" at /uploads']);
	t.regex(found.find(({container}) => container.id === 'db')?.why[0] ?? '', /^PostgreSQL, by its process `postgres`$/);
});

test('what several write is one source, of whom the others need; who has more is asked for the rest', t => {
	const found = suggest([
		service('web', {dependsOn: ['app'], mounts: [volume('data', '/srv')]}),
		service('app', {mounts: [volume('data', '/data')]}),
		service('cron', {dependsOn: ['app'], mounts: [volume('data', '/data'), volume('own', '/own')]}),
	]);
	t.deepEqual(summary(found), {app: {}, cron: {volumes: '["/own"]'}});
});

test('what a label speaks of is left as it is, and so is Holdfast', t => {
	const found = suggest([
		service('holdfast', {mounts: [volume('state', '/state')]}),
		service('worker', {labels: {'holdfast.worker': 'run'}, mounts: [volume('staging', '/staging')]}),
		service('off', {labels: {'holdfast.enable': 'false'}, mounts: [volume('a', '/a')]}),
		service('on', {labels: {'holdfast.enable': 'true'}, mounts: [volume('b', '/b')]}),
		service('beside', {mounts: [volume('b', '/b')]}),
		service('other', {project: 'else', mounts: [volume('c', '/c')]}),
		service('once', {labels: {'com.docker.compose.oneoff': 'True'}, mounts: [volume('d', '/d')]}),
		service('system', {mounts: [{type: 'bind', hostPath: '/var/run/docker.sock', path: '/var/run/docker.sock', readWrite: true}]}),
	]);
	t.deepEqual(summary(found), {});
});

test('without a person only a server that was seen, and whose dump is known, is dumped; the files of others are files', t => {
	const containers = [
		service('mongo', {image: 'mongo:7', mounts: [volume('m', '/data/db')]}),
		service('early', {image: 'postgres:17', mounts: [volume('e', '/var/lib/postgresql/data')]}),
		service('stopped', {image: 'mariadb:11', state: 'exited', mounts: [volume('s', '/var/lib/mysql')]}),
		service('ported', {state: 'exited', ports: [3306], mounts: [volume('p', '/p')]}),
	];
	const programs = {mongo: ['mongod'], early: ['bash']};
	t.deepEqual(summary(suggest(containers, {programs, isSure: true})), {mongo: {}, early: {}, stopped: {mariadb: 'true'}, ported: {}});
	t.is(summary(suggest(containers, {programs})).mongo?.volumes, 'false');
});

test('its own labels refine what is found without one', t => {
	const db = service('db', {labels: {'holdfast.schedule': '@hourly', 'holdfast.postgres': 'shop'}, mounts: [volume('pg', '/pg')]});
	const [suggestion] = suggest([db], {programs: {db: ['postgres']}, isSure: true});
	t.truthy(suggestion);
	const [target] = discoverTargets([db], {suggested: new Map([['db', suggestion as NonNullable<typeof suggestion>]])});
	t.is(target?.name, 'shop/db');
	t.deepEqual(target?.problems, []);
	t.is(target?.policy.schedule, '0 * * * *');
	t.like(target?.members[0].policy.sources.postgres, {databases: ['shop']});
	t.deepEqual(discoverTargets([db]), []);
});

test('files and the servers that they need are one target, named after who needs them; what stands alone is left so', t => {
	const pg = (name: string) => service(name, {mounts: [volume(name, '/var/lib/postgresql/data')]});
	const containers = [
		service('immich-server', {dependsOn: ['redis', 'database'], mounts: [volume('upload', '/data')]}),
		service('machine-learning', {mounts: [volume('models', '/cache')]}),
		service('admin', {dependsOn: ['immich-server'], mounts: [volume('admin', '/admin')]}),
		service('redis', {mounts: [volume('anonymous', '/data')]}),
		pg('database'),
		pg('lone'),
		service('elsewhere', {project: 'other', dependsOn: ['database'], mounts: [volume('x', '/x')]}),
	];
	const found = suggest(containers, {programs: {database: ['postgres'], lone: ['postgres'], redis: ['valkey-server']}});
	const grouped = groupServers(found, containers);
	t.deepEqual(summary(grouped), {
		'immich-server': {group: 'immich-server'},
		'machine-learning': {},
		admin: {group: 'immich-server'},
		redis: {group: 'immich-server', valkey: 'true'},
		database: {group: 'immich-server', postgres: 'true'},
		lone: {postgres: 'true'},
	});
	t.regex(grouped.find(({container}) => container.id === 'database')?.why.at(-1) ?? '', /one target with .*`immich-server`.* one moment/);
	const labelled = grouped.map(({container, labels}) => ({
		...container,
		labels: Object.fromEntries(Object.entries({enable: 'true', ...labels}).map(([name, value]) => [`holdfast.${name}`, value])),
	}));
	const targets = discoverTargets(labelled, {prefix: 'holdfast.', projects: [], reserved: []});
	t.deepEqual(
		targets.map(({name, problems}) => [name, problems]),
		[
			['shop/immich-server', []],
			['shop/lone', []],
			['shop/machine-learning', []],
		],
	);
});
