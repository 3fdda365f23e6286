import test from 'ava';
import type {Container, ContainerState, Mount} from '../../../docker/container.ts';
import {createLook} from '../../../docker/look.ts';
import {hostFoldersOf, isSameStorage, isWriterOf, seesAll, sharesStorage} from '../../../docker/storage.ts';
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

/** A host where `real` says where each path leads (`folder|device|type`); what it does not know is not there. */
function hostOf(real: Record<string, string>, maximumAgeMs?: number, isAsked?: (container: Container) => boolean) {
	const looks: string[][] = [];
	let isBroken = false;
	const inodes: Record<string, number> = {};
	const files = new Set<string>();
	const started: Record<string, string> = {};
	const paused = new Set<string>();
	/** Of those that neither run nor are paused. */
	const states: Record<string, ContainerState> = {};
	/** By container, where it is known. */
	const mounted: Record<string, string> = {};
	const workforce = {
		async look(paths: readonly string[]) {
			if (paths.includes('/srv/stuck')) {
				throw Object.assign(new Error('a server is away'), {statusCode: 500});
			}

			const missing = paths.find(path => real[path] === undefined);
			if (isBroken || missing !== undefined) {
				throw Object.assign(new Error(isBroken ? 'no room' : `bind source path does not exist: ${missing}`), {
					statusCode: isBroken ? 507 : 400,
				});
			}

			looks.push([...paths]);
			const lines = paths.flatMap((path, index) => {
				const inner = path === '/pool' ? [`9 8 8:3 / /look/${index}/disk rw - ext4 /dev/b rw`] : [];
				const [folder = '', device = '8:1', type = 'ext4'] = (real[path] ?? '').split('|');
				const inode =
					inodes[path] === undefined
						? []
						: [`inode /look/${index} ${inodes[path]} ${files.has(path) ? 'regular empty file' : 'directory'}`];
				return [`1 2 ${device} ${folder.replaceAll(' ', '\\040')} /look/${index} rw - ${type} /dev/a rw`, ...inner, ...inode];
			});
			return lookWorker(lines);
		},
		dismiss: async () => {},
	} as unknown as Workforce;
	const look = createLook({
		hire: async () => workforce,
		dataRoot: '/var/lib/docker',
		details: async id => ({state: states[id] ?? (paused.has(id) ? 'paused' : 'running'), startedAt: started[id] ?? '2020-01-01T00:00:00Z'}),
		async mountsIn(id) {
			const text = mounted[id];
			if (text === undefined) {
				throw new Error('nothing runs in it');
			}

			return text;
		},
		...(isAsked && {isAsked}),
		own: async () => '7 6 0:23 /docker.sock /var/run/docker.sock rw - tmpfs tmpfs rw',
	});
	return {
		looks,
		inodes,
		files,
		started,
		paused,
		states,
		mounted,
		break: (broken: boolean) => {
			isBroken = broken;
		},
		async mounts(...containers: Container[]) {
			const {containers: seen, unseen} = await look(containers, maximumAgeMs);
			return {mounts: seen.flatMap(({mounts}) => mounts) as [Mount, Mount, ...Mount[]], unseen};
		},
	};
}

const volumes = {'/var/lib/docker/volumes': '/lib/docker/volumes'};

test('one folder that nobody can look at hides no other, and is told', async t => {
	const host = hostOf({...volumes, '/srv/data': '/srv/data', '/a link': '/srv/data', '/srv/c': '/srv/c'});
	const all = container('a', bind('/srv/c'), bind('/srv/stuck'), bind('/srv/data'), bind('/a link'));
	const {mounts, unseen} = await host.mounts(all);
	const [c, stuck, real, link] = mounts as [Mount, Mount, Mount, Mount];
	t.is(unseen, 'a server is away');
	t.true(isSameStorage(real, link));
	t.false(isSameStorage(real, c));
	t.deepEqual(hostFoldersOf(stuck), ['/srv/stuck']);
	const {length} = host.looks;
	t.is((await host.mounts(all)).unseen, 'a server is away');
	t.is(host.looks.length, length, 'it is left alone for a while');
	t.is((await host.mounts(container('b', bind('/srv/c')))).unseen, undefined, 'who is gone is not told');
});

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
	t.deepEqual(
		[real, gone, pool].map(({isGone}) => isGone),
		[undefined, true, undefined],
	);
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
	t.deepEqual(host.looks, [['/var/lib/docker/volumes', '/srv/a'], ['/srv/b'], ['/srv/a']]);
});

test('where nobody could look, that is said, and it is not tried at once again', async t => {
	const host = hostOf({...volumes, '/srv/a': '/srv/a'});
	host.break(true);
	t.is((await host.mounts(container('a', bind('/srv/a')))).unseen, 'no room');
	host.break(false);
	t.is((await host.mounts(container('a', bind('/srv/a')))).unseen, 'no room');
	t.deepEqual(host.looks, []);
});

test('started since it was looked at, and led elsewhere since: which came first is asked of the kernel', async t => {
	const real: Record<string, string> = {...volumes, '/link': '/srv/one'};
	const host = hostOf(real, -1);
	const a = container('a', bind('/link'));
	await host.mounts(a);
	host.started.a = '2100-01-01T00:00:00Z';
	host.mounted.a = '1 2 8:1 /srv/one /data rw - ext4 /dev/a rw';
	real['/link'] = '/srv/two';
	const [astray] = (await host.mounts(a)).mounts;
	t.true(astray.isAstray);
	t.true(
		hostFoldersOf(astray).includes('/srv/one') || astray.folders?.some(({path}) => path === '/srv/one'),
		'it has what it led to before',
	);
	host.mounted.a = '1 2 8:1 /srv/two /data rw - ext4 /dev/a rw';
	const [again] = (await host.mounts(a)).mounts;
	t.is(again.isAstray, undefined);
	t.true(again.folders?.some(({path}) => path === '/srv/two'));
});

test('who is paused cannot be asked: it is no answer, and it is asked again', async t => {
	const real: Record<string, string> = {...volumes, '/link': '/srv/one'};
	const host = hostOf(real, -1);
	const a = container('a', bind('/link'));
	await host.mounts(a);
	host.started.a = '2100-01-01T00:00:00Z';
	host.paused.add('a');
	real['/link'] = '/srv/two';
	t.true((await host.mounts(a)).mounts[0].isAstray);
	host.paused.delete('a');
	host.mounted.a = '1 2 8:1 /srv/one /data rw - ext4 /dev/a rw';
	t.true((await host.mounts(a)).mounts[0].isAstray, 'it has what it led to before');
});

test('a link that led elsewhere before anybody looked: what the container has is asked of the kernel, where it is a link', async t => {
	const host = hostOf({...volumes, '/link': '/srv/two', '/srv/one': '/srv/one', '/far': '/x|0:50|nfs4', '/file': '/srv/conf.yml'}, -1);
	const [a, b] = [container('a', bind('/link')), container('b', bind('/srv/one'))];
	host.mounted.a = '1 2 8:1 /srv/one /data rw - ext4 /dev/a rw';
	const look = async () => (await host.mounts(a, b, container('c', bind('/far')), container('d', bind('/file')))).mounts;
	host.mounted.c = '1 2 0:49 /x /data rw - nfs4 far:/x rw';
	host.mounted.d = '1 2 8:1 /srv/conf.yml//deleted /data rw - ext4 /dev/a rw';
	const seen = await look();
	t.deepEqual(
		seen.map(({isAstray}) => isAstray),
		[true, undefined, undefined, undefined],
	);
	t.true(isSameStorage(seen[0], seen[1]), 'it writes there');
	host.started.a = '2100-01-01T00:00:00Z';
	host.mounted.a = '1 2 8:1 /srv/two /data rw - ext4 /dev/a rw';
	const [again, other] = await look();
	t.is(again.isAstray, undefined);
	t.false(sharesStorage(again, other));
});

test('a link that leads elsewhere later: who was started before has what it led to, and it is said until it is started again', async t => {
	const real: Record<string, string> = {...volumes, '/srv/a': '/srv/a', '/link': '/srv/a'};
	const host = hostOf(real, -1);
	const look = async () => host.mounts(container('a', bind('/link')), container('b', bind('/srv/a')));
	const [first] = (await look()).mounts;
	t.is(first.isAstray, undefined);
	real['/link'] = '/srv/b';
	const [link, folder] = (await look()).mounts;
	t.true(link.isAstray);
	t.true(isSameStorage(link, folder), 'it still writes there');
	host.started.a = '2100-01-01T00:00:00Z';
	const [again, other] = (await look()).mounts;
	t.is(again.isAstray, undefined);
	t.false(sharesStorage(again, other));
});

test('who was never started, or has ended, has nothing mounted: the next start gives it the folder that is there by then', async t => {
	for (const state of ['created', 'exited', 'dead'] as const) {
		const real: Record<string, string> = {...volumes};
		const host = hostOf(real, -1);
		const a = container('a', bind('/srv/a'));
		host.states.a = state;
		host.started.a = state === 'created' ? '0001-01-01T00:00:00Z' : '2020-01-01T00:00:00Z';
		t.true((await host.mounts(a)).mounts[0].isGone, `${state}: a new host, whose folders were not made yet`);
		real['/srv/a'] = '/srv/a';
		host.inodes['/srv/a'] = 5;
		const [made] = (await host.mounts(a)).mounts;
		t.deepEqual([made.isGone, made.isAstray], [undefined, undefined], state);
		host.inodes['/srv/a'] = 6;
		t.is((await host.mounts(a)).mounts[0].isAstray, undefined, `${state}: made anew`);
	}
});

test('a folder that another was put in the place of is another, where the file system numbers them', async t => {
	const host = hostOf({...volumes, '/srv/a': '/srv/a', '/srv/far': '/a|0:50|fuse.rclone'}, -1);
	const look = async () => (await host.mounts(container('a', bind('/srv/a'), bind('/srv/far')))).mounts;
	host.inodes['/srv/a'] = 5;
	host.inodes['/srv/far'] = 5;
	t.deepEqual(
		(await look()).map(({isAstray}) => isAstray),
		[undefined, undefined],
	);
	host.inodes['/srv/a'] = 6;
	host.inodes['/srv/far'] = 6;
	t.deepEqual(
		(await look()).map(({isAstray}) => isAstray),
		[true, undefined],
	);
});

test('a folder that another was put in the place of before anybody looked is asked of the kernel, of who may be a target', async t => {
	const host = hostOf({...volumes, '/srv/a': '/srv/a', '/srv/far': '/a|0:50|nfs4', '/srv/file': '/srv/file'}, -1, ({id}) => id !== 'other');
	host.inodes['/srv/a'] = 6;
	host.inodes['/srv/far'] = 6;
	host.inodes['/srv/file'] = 6;
	host.files.add('/srv/file');
	const has = (root: string, device = '8:1') => `1 2 ${device} ${root} /data rw - ext4 /dev/a rw`;
	Object.assign(host.mounted, {
		moved: has('/srv/a.old'),
		removed: has('/srv/a//deleted'),
		same: has('/srv/a'),
		other: has('/srv/a.old'),
		far: has('/a//deleted', '0:50'),
		file: has('/srv/file//deleted'),
	});
	const of = (id: string, path: string) => container(id, bind(path));
	const {mounts} = await host.mounts(
		...['moved', 'removed', 'same', 'other', 'mute'].map(id => of(id, '/srv/a')),
		of('far', '/srv/far'),
		of('file', '/srv/file'),
	);
	t.deepEqual(
		mounts.map(({isAstray}) => isAstray),
		[true, true, undefined, undefined, undefined, undefined, undefined],
	);
	host.started.moved = '2100-01-01T00:00:00Z';
	host.mounted.moved = has('/srv/a');
	t.is((await host.mounts(of('moved', '/srv/a'))).mounts[0].isAstray, undefined, 'started again');
});

test('a single file that an editor wrote anew leads nowhere else: its container gets it with its next start', async t => {
	const real: Record<string, string> = {...volumes, '/srv/conf.yml': '/srv/conf.yml'};
	const host = hostOf(real, -1);
	const look = async () => {
		const [{isAstray, isRewritten}] = (await host.mounts(container('a', bind('/srv/conf.yml')))).mounts;
		return [isAstray, isRewritten];
	};
	host.files.add('/srv/conf.yml');
	host.inodes['/srv/conf.yml'] = 5;
	t.deepEqual(await look(), [undefined, undefined]);
	host.inodes['/srv/conf.yml'] = 6;
	t.deepEqual(await look(), [undefined, true]);
	t.deepEqual(await look(), [undefined, true], 'as long as it runs');
	host.files.delete('/srv/conf.yml');
	t.deepEqual(await look(), [true, undefined], 'a folder is another thing');
	host.files.add('/srv/conf.yml');
	host.started.a = '2100-01-01T00:00:00Z';
	host.mounted.a = '1 2 8:1 /srv/conf.yml /data rw - ext4 /dev/a rw';
	t.deepEqual(await look(), [undefined, undefined]);
	host.started.a = '2020-01-01T00:00:00Z';
	real['/srv/conf.yml'] = '/srv/other.yml';
	t.deepEqual(await look(), [true, undefined], 'a link that leads to another file');
});

test('where a link leads to what is of the system, the host’s own name of it is known', async t => {
	const host = hostOf({
		...volumes,
		'/etc': '/etc|8:2',
		'/usr': '/|8:9',
		'/lib': '/lib|8:9',
		'/to-modules': '/lib/modules|8:9',
		'/to-passwd': '/etc/passwd|8:2',
		'/to-all': '/|8:2',
		'/to-run': '/dbus|0:23|tmpfs',
		'/to-proc': '/|0:4|proc',
		'/to-volumes': '/lib/docker/volumes',
	});
	const {mounts} = await host.mounts(
		container('a', ...['/to-modules', '/to-passwd', '/to-all', '/to-run', '/to-proc', '/to-volumes'].map(bind)),
	);
	t.deepEqual(
		mounts.map(mount => hostFoldersOf(mount).slice(1).sort()),
		[['/lib/modules', '/usr/lib/modules'], ['/etc/passwd'], ['/'], ['/run/dbus'], ['/proc'], ['/var/lib/docker/volumes']],
	);
	t.deepEqual(
		mounts.map(({isOfAll}) => isOfAll),
		[undefined, undefined, true, undefined, undefined, true],
	);
});

test('who sees all of the engine is no writer of each volume, but for those that it has besides', async t => {
	const host = hostOf({...volumes, '/srv/a': '/srv/a'});
	const {mounts} = await host.mounts(container('a', bind('/'), bind('/var/lib/docker/volumes'), bind('/var/lib/docker'), bind('/srv')));
	t.deepEqual(
		mounts.map(({isOfAll}) => isOfAll),
		[true, true, true, undefined],
	);
	const manager = container('m', ...mounts.slice(0, 3));
	t.deepEqual([isWriterOf(manager, volume('x')), seesAll(manager, volume('x')) !== undefined], [false, true]);
	const both = container('m', ...mounts, volume('x'));
	t.deepEqual([isWriterOf(both, volume('x')), seesAll(both, volume('x')) !== undefined], [true, false]);
});

test('so is who has the folder that other projects are in: a manager of stacks, a file browser', async t => {
	const host = hostOf({
		...volumes,
		'/opt/stacks': '/opt/stacks',
		'/opt/stacks/app/data': '/opt/stacks/app/data',
		'/opt/stacks/app': '/opt/stacks/app',
	});
	const of = (project: string, id: string, ...mounts: Mount[]): Container => ({
		...container(id, ...mounts),
		project,
		labels: {'com.docker.compose.project.working_dir': `/opt/stacks/${project}`},
	});
	const {mounts} = await host.mounts(
		of('dockge', 'd', bind('/opt/stacks')),
		of('app', 'a', bind('/opt/stacks/app/data')),
		of('app', 'b', bind('/opt/stacks/app')),
		of('other', 'o', bind('/opt/stacks/app')),
	);
	t.deepEqual(
		mounts.map(({isOfAll}) => isOfAll),
		[true, undefined, undefined, undefined],
	);
	t.regex(seesAll(container('d', mounts[0]), mounts[1]) ?? '', /^has the bind mount of "\/opt\/stacks"/);
});
