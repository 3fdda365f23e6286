import test from 'ava';
import type {Mount} from '../../../docker/container.ts';
import {describeStorage, isSameStorage, sharesStorage, shownIn} from '../../../docker/storage.ts';
import {foldersOf} from '../../../docker/volumes.ts';

const volume = (name: string, rest: Partial<Mount> = {}): Mount => ({
	type: 'volume',
	volume: name,
	hostPath: `/var/lib/docker/volumes/${name}/_data`,
	path: '/data',
	readWrite: true,
	...rest,
});

const bind = (hostPath: string, rest: Partial<Mount> = {}): Mount => ({type: 'bind', hostPath, path: '/data', readWrite: true, ...rest});

const bound = (name: string, device: string): Mount =>
	volume(name, {folders: foldersOf({driver: 'local', options: {type: 'none', o: 'bind', device}})});

test('one folder under two names is one storage', t => {
	t.true(isSameStorage(bound('a', '/srv/data'), bind('/srv/data')));
	t.true(isSameStorage(bound('a', '/srv/data/'), bound('b', '/srv/data')));
	t.true(isSameStorage(volume('a'), bind('/var/lib/docker/volumes/a/_data')));
	t.true(sharesStorage(bound('a', '/srv/data'), bind('/srv/data/sub')));
	t.true(sharesStorage(bound('a', '/srv/data/sub'), bind('/srv')));
	t.true(sharesStorage(volume('a', {subpath: 'x'}), bind('/var/lib/docker/volumes')));
	t.false(sharesStorage(bound('a', '/srv/data'), bind('/srv/database')));
	t.false(sharesStorage(volume('a'), volume('b')));
	t.false(sharesStorage(volume('a'), {...bind(''), hostPath: ''}));
});

test('a link is known by the file system and the folder in it, and so is what is mounted below', t => {
	const real = bind('/srv/data', {folders: [{in: '8:1', path: '/srv/data'}]});
	const link = bind('/home/link', {folders: [{in: '8:1', path: '/srv/data'}]});
	t.true(isSameStorage(real, link));
	t.false(isSameStorage(real, bind('/home/other', {folders: [{in: '8:2', path: '/srv/data'}]})));
	const above = bind('/pool', {folders: [{in: '8:1', path: '/pool'}], inner: [{in: '8:3', path: '/'}]});
	t.true(sharesStorage(above, bind('/mnt/disk', {folders: [{in: '8:3', path: '/app'}]})));
	t.false(isSameStorage(above, bind('/mnt/disk', {folders: [{in: '8:3', path: '/'}]})));
});

test('subpaths of one volume are storages of their own, unless one is in the other', t => {
	const [a, b, inner] = ['a', 'b', 'a/x'].map(subpath => volume('data', {subpath})) as [Mount, Mount, Mount];
	t.false(sharesStorage(a, b));
	t.true(sharesStorage(a, inner));
	t.true(sharesStorage(volume('data'), b));
	t.false(isSameStorage(volume('data'), a));
	t.true(isSameStorage(a, bind('/var/lib/docker/volumes/data/_data/a')));
	t.is(shownIn(volume('data'), a, '/data/f'), '/a/f');
	t.is(shownIn(a, volume('data', {path: '/all'}), '/all/a/f'), '/f');
	t.is(shownIn(a, volume('data', {path: '/all'}), '/all/b/f'), undefined);
	t.is(describeStorage(a), 'folder "a" of volume "data"');
	t.is(describeStorage(bound('b', '/srv/x')), 'volume "b", which is "/srv/x" of the host');
});

test('what a volume is a name of is read from its options', t => {
	const local = (options: Record<string, string>) => foldersOf({driver: 'local', options});
	t.deepEqual(local({}), []);
	t.deepEqual(local({type: 'tmpfs', device: 'tmpfs'}), []);
	t.deepEqual(local({type: 'none', o: 'ro, rbind', device: '/srv/a//b/'}), [{in: 'host', path: '/srv/a/b'}]);
	t.deepEqual(local({type: 'nfs', o: 'addr=10.0.0.1,rw', device: ':/export/a'}), [{in: 'nfs 10.0.0.1', path: '/export/a'}]);
	t.deepEqual(local({type: 'nfs4', device: 'nas:/export/a/'}), [{in: 'nfs nas', path: '/export/a'}]);
	t.deepEqual(local({type: 'cifs', o: 'username=x', device: '//NAS/share/dir'}), [{in: 'cifs nas/share', path: '/dir'}]);
	t.deepEqual(local({type: 'ext4', device: '/dev/sdb1'}), local({type: 'ext4', device: '/dev/sdb1', o: 'noatime'}));
	t.notDeepEqual(local({type: 'btrfs', device: '/dev/sdb1', o: 'subvol=a'}), local({type: 'btrfs', device: '/dev/sdb1', o: 'subvol=b'}));
	t.deepEqual(foldersOf({driver: 'plugin', options: {device: '/dev/sdb1'}}), []);
});

test('subvolumes of one device are folders of one file system', t => {
	const sub = (name: string, o: string) =>
		volume(name, {folders: foldersOf({driver: 'local', options: {type: 'btrfs', device: '/dev/sdb1', o}})});
	t.true(isSameStorage(sub('a', 'subvol=data'), sub('b', 'noatime,subvol=/data/')));
	t.false(sharesStorage(sub('a', 'subvol=data'), sub('b', 'subvol=database')));
	t.true(sharesStorage(sub('a', 'subvol=data'), sub('b', 'subvol=data/in')));
	t.true(sharesStorage(sub('a', 'subvol=data'), sub('b', 'noatime')));
	t.false(isSameStorage(sub('a', 'subvolid=256'), sub('b', '')));
});
