import test from 'ava';
import type {Restoration} from '../../../../../agent/restore/plan/plan.ts';
import {countAll, storagesOf} from '../../../../../agent/restore/plan/storages.ts';
import type {RoomContext} from '../../../../../agent/sources/kind.ts';
import type {RestoringSource} from '../../../../../agent/sources/restoring.ts';
import {type Container, type Mount, workerLabel} from '../../../../../docker/container.ts';

const mount = (path: string, readWrite = true): Mount => ({type: 'volume', volume: 'data', hostPath: '/v/data', path, readWrite});

const container = (name: string, mounts: readonly Mount[], labels: Record<string, string> = {}): Container => ({
	id: name,
	name,
	image: 'image',
	imageId: 'sha256:1',
	state: 'running',
	createdAt: 0,
	dependsOn: [],
	labels,
	mounts,
});

const app = container('app', [mount('/data')]);

const source = (name: string, kind: string): RestoringSource =>
	({
		name,
		kind,
		container: app,
		target: 'shop/app',
		stored: {snapshot: 's', path: '/shop/app/data', details: {entries: 7}},
		...(kind === 'volume' ? {mount: mount('/data'), exclude: []} : {}),
	}) as unknown as RestoringSource;

test('each storage with its counts and with who else mounts it; workers are nobody', t => {
	const [files, path, database] = [source('volume:/data', 'volume'), source('tar:/etc', 'tar'), source('postgres:a', 'postgres')] as const;
	const writer = container('writer', [mount('/w')]);
	const containers = [
		app,
		writer,
		container('reader', [mount('/r', false)]),
		container('other', []),
		container('worker', [mount('/x')], {[workerLabel]: 'r'}),
	];
	const restoration = {
		target: 'shop/app',
		sources: [files, path, database],
		stop: [{container: writer, action: 'stop', reason: ''}],
	} as unknown as Restoration;
	const counts = new Map([
		[files, {written: 3, removed: undefined, why: 'too long'}],
		[path, {written: 7, removed: 0}],
	]);
	t.deepEqual(storagesOf(restoration, containers, counts), [
		{
			source: 'volume:/data',
			storage: 'volume "data"',
			written: 3,
			removed: null,
			unknown: 'too long',
			mountedBy: [
				{container: 'writer', readWrite: true, stopped: true},
				{container: 'reader', readWrite: false, stopped: false},
			],
		},
		{source: 'tar:/etc', storage: 'container app', written: 7, removed: 0, mountedBy: []},
	]);
});

test('folders and links are not counted as written; and a count that fails is unknown, with the reason', async t => {
	const volume = source('volume:/data', 'volume');
	const place: RoomContext['worker'] = async () => ({
		stdin: undefined as never,
		stdout: (await import('node:stream')).Readable.from([]),
		done: Promise.resolve({exitCode: 0, stderr: ''}),
		kill: async () => {},
	});
	const restic = {
		rehearse: async () => ({entries: 10, removed: 4}),
		async list({onEntry}: {onEntry: (entry: {path: string; type: string; size: number}) => void}) {
			for (const type of ['file', 'file', 'file', 'dir', 'dir', 'symlink']) {
				onEntry({path: 'x', type, size: 0});
			}
		},
	} as unknown as RoomContext['restic'];
	const counts = await countAll([volume, source('postgres:a', 'postgres')], {worker: place, restic});
	t.deepEqual([...counts.values()], [{written: 7, removed: 4}]);
	const broken = {
		async rehearse() {
			throw new Error('the repository is away');
		},
	} as unknown as RoomContext['restic'];
	t.is((await countAll([volume], {worker: place, restic: broken})).get(volume)?.why, 'the repository is away');
	const some = {...volume, paths: ['/a', '/b']};
	t.deepEqual((await countAll([some], {worker: place, restic})).get(some), {written: 6, removed: 0});
});
