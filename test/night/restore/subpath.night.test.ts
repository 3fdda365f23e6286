/** Subpaths of one volume are data of their own: backed up, found and restored as those folders. They need an engine of version 26 or later. Lane: works. */
import test from 'ava';
import {ensureCurrentEngine} from '../../support/machine/current-engine.ts';
import {startOwnEngine, withOwnEngine} from '../../support/stack/own-engine.ts';
import {startStack} from '../../support/stack.ts';

const testThere = await withOwnEngine(test);

testThere('a restore of one subpath leaves the others alone, and patterns and databases count from it', async t => {
	t.timeout(20 * 60_000);
	const {engine, image} = await startOwnEngine(t, {programs: await ensureCurrentEngine()});
	const command = ['sleep', 'infinity'];
	const mount = (subpath: string, target = '/data') => ({type: 'volume', source: 'data', target, volume: {subpath}});
	const stack = await startStack(t, {
		engine,
		up: ['holdfast'],
		volumes: ['data'],
		services: {
			a: {
				image,
				command,
				init: true,
				volumes: [mount('a'), mount('deep/c', '/more')],
				labels: {'holdfast.enable': 'true', 'holdfast.volumes': 'true', 'holdfast.sqlite': '/data/app.db', 'holdfast.exclude': 'cache'},
			},
			b: {image, command, init: true, volumes: [mount('b')]},
			// The whole of it shows a, too.
			all: {image, command, init: true, volumes: ['data:/all']},
		},
	});
	await stack.compose('up', '--detach', 'all');
	await stack.exec('all', 'mkdir', '-p', '/all/a/cache', '/all/b', '/all/deep/c');
	await stack.compose('up', '--detach');
	const fill =
		'cd /data; echo first >f; echo kept >cache/x; head -c 300000 /dev/urandom >big; sqlite3 app.db "create table t as select 1 as n"; echo first >/more/f';
	await stack.exec('a', 'sh', '-ec', fill);
	const hashes = async () => stack.exec('a', 'sh', '-ec', 'sha256sum /data/f /data/big /more/f; sqlite3 /data/app.db "select n from t"');
	const before = await hashes();
	const target = `${stack.project}/a`;
	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);
	t.deepEqual(backup?.sources.map(({source}) => source).sort(), ['sqlite:/data/app.db', 'volume:/data', 'volume:/more']);
	const snapshot = backup?.sources.find(({source}) => source === 'volume:/data')?.snapshot ?? '';
	const listed = (await stack.restic('ls', snapshot)).split('\n').filter(line => line.includes('/data/'));
	t.deepEqual(listed.map(line => line.slice(line.indexOf('/data/'))).sort(), ['/data/big', '/data/f']);

	const started = async (service: string) => stack.docker(['inspect', '--format', '{{.State.StartedAt}}', stack.container(service)]);
	const [b, all] = await Promise.all(['b', 'all'].map(started));
	await stack.exec(
		'a',
		'sh',
		'-ec',
		'echo second >/data/f; rm /data/big; echo new >/data/new; echo mine >/data/cache/x; echo second >/more/f; sqlite3 /data/app.db "update t set n = 2"',
	);
	await stack.exec('b', 'sh', '-c', 'echo precious >/data/f');
	const restored = await stack.restore(target);
	t.is(restored.outcome, 'success', restored.error);
	t.is(await hashes(), before);
	t.is(await stack.exec('a', 'sh', '-c', 'cat /data/cache/x; test ! -e /data/new && echo gone'), 'mine\ngone');
	t.is(await stack.exec('b', 'cat', '/data/f'), 'precious');
	t.is(await started('b'), b ?? '', 'it has nothing to do with it');
	t.not(await started('all'), all, 'it writes to the same storage');

	const undone = await stack.holdfast('restore', 'undo', restored.run);
	t.is(undone.exitCode, 0, undone.stderr);
	t.is(
		await stack.exec('a', 'sh', '-c', 'cat /data/f /data/new /more/f; sqlite3 /data/app.db "select n from t"'),
		'second\nnew\nsecond\n2',
	);
	t.is(await stack.exec('b', 'cat', '/data/f'), 'precious');
});
