/** Whatever asks the survey for what a run will write or hold, its storage is known by all its names. */
import {Duplex} from 'node:stream';
import test from 'ava';
import {createSurvey} from '../../../../agent/plan/survey.ts';
import type {CreateOptions} from '../../../../docker/calls/containers.ts';
import {containerFromList} from '../../../../docker/container.ts';
import type {Engine} from '../../../../docker/engine.ts';
import type {Self} from '../../../../docker/self.ts';

const frame = (output: number, text: string): Buffer => {
	const header = Buffer.alloc(8);
	header.writeUInt8(output);
	header.writeUInt32BE(Buffer.byteLength(text), 4);
	return Buffer.concat([header, Buffer.from(text)]);
};

const listed = (name: string, folder: string) =>
	containerFromList({
		Id: name,
		Names: [`/${name}`],
		Image: 'image',
		ImageID: 'sha256:1',
		Created: 0,
		State: 'running',
		Labels: {
			'com.docker.compose.project': 'shop',
			'com.docker.compose.service': name,
			...(name === 'app' ? {'holdfast.enable': 'true'} : {}),
		},
		Mounts: [{Type: 'bind', Source: folder, Destination: '/data', RW: true}],
	});

function surveyOf() {
	const workers: string[] = [];
	let folders: string[] = [];
	const engine = {
		address: 'unix:///fake',
		list: async () => [listed('app', '/srv/link'), listed('worker', '/srv/data')],
		removeVolume: async () => {},
		remove: async () => {},
		start: async () => {},
		inspect: async () => ({state: 'running'}),
		async create(name: string, {HostConfig: host}: CreateOptions) {
			workers.push(name);
			folders = (host?.Mounts ?? []).map(({Source: source}) => source);
			return 'worker';
		},
		// Both lead to one folder.
		async exec() {
			const lines = folders.map((path, index) => `1 2 8:1 ${path.replace('link', 'data')} /look/${index} rw - ext4 /dev/a rw`);
			const stream = new Duplex({read() {}, write: (_chunk, _encoding, callback) => callback()});
			stream.push(Buffer.concat([frame(2, '1\n'), frame(1, lines.join('\n'))]));
			stream.push(null);
			return {stream, inspect: async () => ({running: false, exitCode: 0})};
		},
	} as unknown as Engine;
	const self = {
		containerId: 'agent',
		image: 'i',
		mounts: [],
		networks: [],
		networkMode: 'x',
		inherited: {limits: {}, names: {}, isolation: {}},
	} as Self;
	const common = {
		dataRoot: '/var/lib/docker',
		prefix: 'holdfast.',
		projects: [],
		auto: [],
		schedule: '0 3 * * *',
		lockTimeoutMs: 1,
		copies: [],
	};
	return {survey: createSurvey({engine, self, agentId: 'a', ...common}), workers};
}

test('a plan, all plans and what a restore is planned from know a link; and one look is enough for all of them', async t => {
	const {survey, workers} = surveyOf();
	const known = {in: '8:1', path: '/srv/data'};
	const {plan} = await survey.one('shop/app');
	t.deepEqual(
		plan.quiesce.map(({container}) => container.name),
		['app', 'worker'],
	);
	const {targets} = await survey.named('shop/app');
	t.deepEqual(targets[0].members[0].container.mounts[0]?.folders, [known]);
	t.deepEqual((await survey.present()).containers[1]?.mounts[0]?.folders, [known]);
	const [surveyed] = await survey.all(await survey.list());
	t.is(surveyed?.plan.quiesce.length, 2);
	t.is(workers.length, 1);
});

test('where another program takes all of its project that no label excludes, so does this one', async t => {
	const {survey} = surveyOf();
	t.deepEqual(
		(await survey.list()).targets.map(({name}) => name),
		['shop/app'],
	);
	const container = (project: string, service: string, {image = 'image', labels = {}, folder = `/srv/${service}`} = {}) =>
		containerFromList({
			Id: `${project}-${service}`,
			Names: [`/${project}-${service}-1`],
			Image: image,
			ImageID: `sha256:${image}`,
			Created: 0,
			State: 'running',
			Labels: {'com.docker.compose.project': project, 'com.docker.compose.service': service, ...labels},
			Mounts: [{Type: 'bind', Source: folder, Destination: '/data', RW: true}],
		});
	const env = {AUTO_BACKUP_ALL: 'true', CRON_SCHEDULE: '5 1 * * *'};
	const engine = {
		address: 'unix:///fake',
		list: async () => [
			container('shop', 'app'),
			container('shop', 'refused', {labels: {'stack-back.volumes': 'false'}}),
			container('shop', 'backup', {image: 'ghcr.io/lawndoc/stack-back:1.5'}),
			container('blog', 'app', {folder: '/srv/blog'}),
		],
		inspect: async (id: string) => ({state: 'running', env: id === 'shop-backup' ? env : {}, argv: [], pid: 0}),
		top: async () => [],
	} as unknown as Engine;
	const all = createSurvey({
		engine,
		self: {containerId: 'agent', image: 'i', mounts: [], networks: [], networkMode: 'x', inherited: {limits: {}, names: {}, isolation: {}}},
		agentId: 'a',
		dataRoot: '/var/lib/docker',
		prefix: 'holdfast.',
		dialects: ['stack-back'],
		projects: [],
		auto: [],
		schedule: '0 3 * * *',
		lockTimeoutMs: 1,
		copies: [],
	});
	t.deepEqual(
		(await all.list()).targets.map(({name, policy: {schedule}}) => [name, schedule]),
		[['shop/app', '5 1 * * *']],
	);
});
