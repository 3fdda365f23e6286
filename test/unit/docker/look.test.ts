import test from 'ava';
import type {Container, Mount} from '../../../docker/container.ts';
import {createLook} from '../../../docker/look.ts';
import {isSameStorage, sharesStorage} from '../../../docker/storage.ts';
import type {Workforce} from '../../../docker/worker.ts';
import {runningContainer} from '../../support/doubles/container.ts';
import {lookWorker} from '../../support/doubles/look-worker.ts';

const bind = (hostPath: string): Mount => ({type: 'bind', hostPath, path: '/data', readWrite: true});

const volume = (name: string): Mount => ({
	type: 'volume',
	volume: name,
	hostPath: `/var/lib/docker/volumes/${name}/_data`,
	path: '/v',
	readWrite: true,
});

const container = (id: string, ...mounts: Mount[]) => runningContainer(id, {mounts});

/** A host where `real` says where each path leads; what it does not know is not there. */
function hostOf(real: Record<string, string>) {
	const looks: string[][] = [];
	let isBroken = false;
	const workforce = {
		async look(paths: readonly string[]) {
			const missing = paths.find(path => real[path] === undefined);
			if (isBroken || missing !== undefined) {
				throw Object.assign(new Error(isBroken ? 'no room' : `bind source path does not exist: ${missing}`), {
					statusCode: isBroken ? 507 : 400,
				});
			}

			looks.push([...paths]);
			const lines = paths.flatMap((path, index) => {
				const inner = path === '/pool' ? [`9 8 8:3 / /look/${index}/disk rw - ext4 /dev/b rw`] : [];
				return [`1 2 8:1 ${(real[path] ?? '').replaceAll(' ', '\\040')} /look/${index} rw - ext4 /dev/a rw`, ...inner];
			});
			return lookWorker(lines);
		},
		dismiss: async () => {},
	} as unknown as Workforce;
	const look = createLook({hire: async () => workforce, dataRoot: '/var/lib/docker'});
	return {
		looks,
		break: (broken: boolean) => {
			isBroken = broken;
		},
		async mounts(...containers: Container[]) {
			const {containers: seen, unseen} = await look(containers);
			return {mounts: seen.flatMap(({mounts}) => mounts) as [Mount, Mount, ...Mount[]], unseen};
		},
	};
}

const volumes = {'/var/lib/docker/volumes': '/lib/docker/volumes'};

test('links, links to volumes and what is mounted below are seen; what is not there is passed over', async t => {
	const host = hostOf({
		...volumes,
		'/srv/data': '/srv/data',
		'/a link': '/srv/data',
		'/to-volume': '/lib/docker/volumes/x/_data',
		'/pool': '/pool',
	});
	const {mounts, unseen} = await host.mounts(
		container('a', bind('/srv/data'), bind('/a link'), bind('/to-volume'), volume('x'), bind('/gone'), bind('/pool')),
	);
	const [real, link, toVolume, x, gone, pool] = mounts as [Mount, Mount, Mount, Mount, Mount, Mount];
	t.is(unseen, undefined);
	t.true(isSameStorage(real, link));
	t.true(isSameStorage(toVolume, x));
	t.is(gone.folders, undefined);
	t.deepEqual(pool.inner, [{in: '8:3', path: '/'}]);
	t.false(sharesStorage(real, x));
});

test('nobody is sent where there are volumes only, nor for what is of the system, nor twice for one container', async t => {
	const host = hostOf({...volumes, '/srv/a': '/srv/a', '/srv/b': '/srv/b'});
	await host.mounts(
		container('a', volume('x'), volume('y')),
		container('b', bind('/proc'), bind('/'), bind('/run/x'), bind('/srv/d.sock')),
	);
	t.deepEqual(host.looks, []);
	await host.mounts(container('a', bind('/srv/a')));
	await Promise.all([host.mounts(container('a', bind('/srv/a'))), host.mounts(container('a', bind('/srv/a')))]);
	await host.mounts(container('a', bind('/srv/a')), container('b', bind('/srv/b')));
	await host.mounts(container('recreated', bind('/srv/a')), container('b', bind('/srv/b')));
	t.deepEqual(host.looks, [['/srv/a', '/var/lib/docker/volumes'], ['/srv/b'], ['/srv/a']]);
});

test('where nobody could look, that is said, and it is not tried at once again', async t => {
	const host = hostOf({...volumes, '/srv/a': '/srv/a'});
	host.break(true);
	t.is((await host.mounts(container('a', bind('/srv/a')))).unseen, 'no room');
	host.break(false);
	t.is((await host.mounts(container('a', bind('/srv/a')))).unseen, 'no room');
	t.deepEqual(host.looks, []);
});
