import test from 'ava';
import {planTarget} from '../../../../agent/plan/plan.ts';
import {findUnprotected} from '../../../../agent/plan/unprotected.ts';
import {discoverTargets} from '../../../../agent/targets/discovery.ts';
import type {Container, Mount} from '../../../../docker/container.ts';
import {answersOf} from '../../../support/doubles/answers.ts';

const volume = (name: string, path = `/${name}`): Mount => ({
	type: 'volume',
	volume: name,
	hostPath: `/volumes/${name}`,
	path,
	readWrite: true,
});
const bind = (hostPath: string, rest: Partial<Mount> = {}): Mount => ({type: 'bind', hostPath, path: '/bound', readWrite: true, ...rest});

const container = (service: string, mounts: Mount[], labels: Record<string, string> = {}, rest: Partial<Container> = {}): Container => ({
	id: service,
	name: `shop-${service}-1`,
	image: 'app:1',
	imageId: `sha256:${service}`,
	state: 'running',
	project: 'shop',
	service,
	createdAt: 0,
	dependsOn: [],
	labels,
	mounts,
	...rest,
});

const enabled = (labels: Record<string, string> = {}) => ({
	'holdfast.enable': 'true',
	...Object.fromEntries(Object.entries(labels).map(([name, value]) => [`holdfast.${name}`, value])),
});

function find(containers: Container[], self?: Container) {
	const surveyed = discoverTargets(containers).map(target => {
		const databases = new Map(containers.map(({id}) => [id, ['shop']]));
		const {plan, problems} = planTarget({target, containers, answers: answersOf({databases}), defaults: {schedule: '0 3 * * *'}});
		return {target, plan, problems};
	});
	const found = findUnprotected(containers, surveyed, {dataRoot: '/var/lib/docker', self, prefix: 'holdfast.'});
	return found.map(({storage, target, instead}) =>
		[storage, ...(target === undefined ? [] : [`of ${target}`]), ...(instead === undefined ? [] : [`instead of ${instead}`])].join(' '),
	);
}

test('volumes and bind mounts that no target backs up, each once', t => {
	const containers = [
		container('db', [volume('data')], enabled()),
		container('reader', [volume('data'), volume('cache')]),
		container('other', [volume('cache'), bind('/srv/files')]),
	];
	t.deepEqual(find(containers), ['volume "cache"', 'bind mount of "/srv/files"']);
});

test('a target that names a database and not its volumes leaves them out, unless on purpose', t => {
	const app = (labels: Record<string, string>) => [container('app', [volume('data'), volume('uploads')], enabled(labels))];
	t.deepEqual(find(app({sqlite: '/data/app.db'})), ['volume "uploads" of shop/app']);
	t.deepEqual(find(app({sqlite: '/data/app.db', volumes: 'false'})), []);
	t.deepEqual(find(app({sqlite: '/data/app.db', volumes: 'data'})), []);
});

test('what is dumped is protected', t => {
	const data = volume('pg', '/var/lib/postgresql/data');
	t.deepEqual(find([container('db', [data], enabled({postgres: 'true'}))]), []);
	t.deepEqual(find([container('db', [data], {}, {image: 'postgres:17'})]), ['volume "pg"']);
});

test('what holds no data of an application does not count', t => {
	const self = container('holdfast', [volume('repository'), bind('/var/run/docker.sock', {path: '/var/run/docker.sock'})]);
	const containers = [
		self,
		container('other-agent', [volume('elsewhere')], {}, {imageId: self.imageId}),
		container('configured', [bind('/srv/app.yml', {readWrite: false}), bind('/etc/localtime', {path: '/etc/localtime'})]),
		container('proxy', [bind('/var/run/docker.sock', {path: '/var/run/docker.sock'})]),
		container('off', [volume('scratch')], {'holdfast.enable': 'false'}),
		container('stopped', [volume('old')], {}, {state: 'exited'}),
		container('worker', [volume('data')], {'holdfast.worker': 'r'}),
	];
	t.deepEqual(find(containers, self), []);
});

test('a folder below a bind mount that is backed up is protected', t => {
	const containers = [container('app', [bind('/srv')], enabled()), container('helper', [bind('/srv/app')])];
	t.deepEqual(find(containers), []);
});

test('of replicas one is backed up: what another has for itself is named as such, until a person says that it need not be kept', t => {
	const replica = (number: number, labels: Record<string, string>) =>
		container(
			'app',
			[volume(`anonymous${number}`, '/data'), volume('shared')],
			{...enabled(labels), 'com.docker.compose.container-number': String(number)},
			{
				id: `app${number}`,
				name: `shop-app-${number}`,
			},
		);
	t.deepEqual(find([replica(1, {}), replica(2, {})]), ['volume "anonymous2" of shop/app instead of shop-app-1']);
	t.deepEqual(find([replica(1, {volumes: 'true'}), replica(2, {volumes: 'true'})]), []);
});
