import test from 'ava';
import {recognise} from '../../../../../agent/sources/recognise.ts';
import {collectRemarks} from '../../../../../agent/sources/remarks.ts';
import type {ValkeyAnswer} from '../../../../../agent/sources/valkey/ask.ts';
import {valkey} from '../../../../../agent/sources/valkey/index.ts';
import {addressesOf} from '../../../../../agent/sources/valkey/let-in.ts';
import {claimedData, mountOfFolder, valkeySources} from '../../../../../agent/sources/valkey/plan.ts';
import {settingsOf} from '../../../../../agent/sources/valkey/settings.ts';
import type {Container} from '../../../../../docker/container.ts';

const mount = (path: string) => ({type: 'volume', volume: path.slice(1), hostPath: '', path, readWrite: true}) as const;
const container = (mounts: string[], state = 'running') =>
	({id: 'c', name: 'shop-cache-1', image: 'valkey/valkey:8', state, project: 'shop', mounts: mounts.map(mount)}) as unknown as Container;
const answer: ValkeyAnswer = {folder: '/data', master: undefined, isCluster: false};

function plan(from: Container, said: ValkeyAnswer | undefined = answer) {
	const remarks = collectRemarks();
	const scope = {container: from, policy: {}, answer: said, group: 'cache/', prefix: 'holdfast.', remarks};
	return {sources: valkeySources({...scope, hasOthers: false, choosesMounts: false, grounds: {} as never}), remarks};
}

test('a server is one source; its data mount is no files', t => {
	const {sources, remarks} = plan(container(['/data', '/other']));
	t.deepEqual(
		sources.map(({name, data}) => [name, data?.map(({path}) => path)]),
		[['cache/valkey:all', ['/data']]],
	);
	t.deepEqual([remarks.notes, remarks.problems, remarks.absent], [[], [], []]);
	const claims = (mounts: string[], folder?: string) =>
		claimedData({container: container(mounts), policy: {}}, folder === undefined ? undefined : {...answer, folder}).map(({path}) => path);
	t.deepEqual(claims(['/data', '/other'], '/data'), ['/data']);
	t.deepEqual(claims(['/data', '/other']), ['/data']);
	t.deepEqual(claims(['/srv'], '/srv/redis'), ['/srv/redis']);
	t.deepEqual(claimedData({container: container(['/data']), policy: undefined}, answer), []);
});

test('what a person should know: a replica, a cluster, no volume', t => {
	const notes = (mounts: string[], said: ValkeyAnswer) => plan(container(mounts), said).remarks.notes.join();
	t.regex(notes(['/data'], {...answer, master: {address: 'db:6379', isUp: false}}), /replica of db:6379, which it does not reach now/);
	t.regex(notes(['/data'], {...answer, isCluster: true}), /one of a cluster/);
	t.regex(notes([], answer), /`\/data`.*in no volume.*a restore needs a volume/);
});

test('a server that rests is absent, and nothing else', t => {
	const {sources, remarks} = plan(container(['/data'], 'exited'), undefined);
	t.deepEqual(sources, []);
	t.deepEqual(
		remarks.absent.map(({source}) => source),
		['cache/valkey:all'],
	);
	t.deepEqual(remarks.problems, []);
});

test('images that look like a server, and those that only speak to one', t => {
	for (const image of [
		'redis',
		'redis:7-alpine',
		'valkey/valkey:8',
		'bitnami/redis:7',
		'docker.io/library/redis@sha256:1',
		'redis/redis-stack-server:7',
	]) {
		t.truthy(recognise({image}, valkey.servers ?? [], undefined), image);
	}

	for (const image of ['oliver006/redis_exporter', 'redis/redisinsight:2', 'rediscommander/redis-commander', 'my/redis-worker']) {
		t.falsy(recognise({image}, valkey.servers ?? [], undefined), image);
	}
});

test('a restore finds the mount of the folder that the point names, or where images have it', t => {
	t.is(mountOfFolder(container(['/srv/own', '/data']), '/srv/own')?.path, '/srv/own');
	t.is(mountOfFolder(container(['/bitnami/redis/data']), '/data')?.path, '/bitnami/redis/data');
	t.is(mountOfFolder(container(['/other']), '/data'), undefined);
});

test('ways to a server: its title, its socket, TLS', t => {
	const ways = (title: string, words: string[] = []) =>
		addressesOf({argv: title.split(' ')}, settingsOf(words, [])).map(way => way.join(' '));
	t.is(ways('valkey-server *:6379')[0], '-h 127.0.0.1 -p 6379');
	t.is(ways('redis-server 172.18.0.2:7000')[0], '-h 172.18.0.2 -p 7000');
	t.is(ways('redis-server /run/redis.sock')[0], '-s /run/redis.sock');
	t.is(
		ways('valkey-server *:6380', ['--port', '0', '--tls-port', '6380', '--tls-cert-file', '/c', '--tls-key-file', '/k'])[0],
		'-h 127.0.0.1 -p 6380 --tls --insecure --cert /c --key /k',
	);
	t.is(ways('/usr/bin/valkey-server /etc/valkey.conf')[0], '-h 127.0.0.1 -p 6379');
});
