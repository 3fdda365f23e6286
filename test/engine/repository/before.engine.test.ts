/**
 * What an earlier version left on the disk (test/fixtures/before: state, repository and data as commit 96fd89e left them, with a restore that nobody
 * has let go): the present one reads, undoes, restores, rehearses and prunes it. Lane: waits.
 */
import {mkdir, mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {execa} from 'execa';
import {idleApp} from '../../support/stack/idle.ts';
import {startStack} from '../../support/stack.ts';

/** Fixed, as its files are. */
const project = 'hf-before';
const target = `${project}/app`;
const points = {first: '20261129t173106-13v3mjb', second: '20261129t173111-8mprcav'};
const restored = '20261129t173118-6k0h7k9';

async function unpack(folder: string, name: string): Promise<string> {
	const into = join(folder, name);
	await mkdir(into, {mode: 0o700});
	await execa('tar', ['-C', into, '-xzpf', fileURLToPath(new URL(`../../fixtures/before/${name}.tar.gz`, import.meta.url))]);
	return into;
}

test('points, manifests, state and a restore of the version before are read, undone, restored, rehearsed and pruned', async t => {
	t.timeout(8 * 60_000);
	const folder = await mkdtemp(join(tmpdir(), 'holdfast-before-'));
	t.teardown(async () => rm(folder, {recursive: true, force: true}));
	const [state, repository, data] = await Promise.all(['state', 'repository', 'data'].map(async name => unpack(folder, name)));
	// What a restore replaced is let go after three days: it was just now
	const database = new DatabaseSync(join(state as string, 'holdfast.db'));
	database.prepare('update restores set swapped_at = ?').run(Date.now());
	database.close();

	const stack = await startStack(t, {
		project,
		slowKey: true,
		volumes: ['data'],
		contents: {'hf-state': state as string, 'hf-repository': repository as string, data: data as string},
		holdfast: {environment: {HOLDFAST_HOST: 'before', HOLDFAST_KEEP: 'last=1'}},
		services: {
			app: await idleApp({'holdfast.volumes': '/data', 'holdfast.sqlite': '/data/app.db'}),
		},
	});
	const query = "import sqlite3; print(*sqlite3.connect('/data/app.db').execute('select v from t').fetchone())";
	const contents = async () => [await stack.exec('app', 'cat', '/data/file'), await stack.exec('app', 'python3', '-c', query)];
	const listed = async () =>
		(JSON.parse((await stack.holdfast('points', target, '--json')).stdout) as Array<{point: string}>).map(each => each.point);
	const holdfast = async (...args: string[]) => {
		const {exitCode, stdout, stderr} = await stack.holdfast(...args);
		t.is(exitCode, 0, stdout + stderr);
	};

	t.deepEqual(await listed(), [points.second, points.first]);
	t.deepEqual(await contents(), ['first', 'first']);
	await holdfast('restore', 'undo', restored, '--yes');
	t.deepEqual(await contents(), ['second', 'second']);
	t.is(await stack.exec('app', 'sh', '-c', 'ls -A /data | grep holdfast || true'), '');

	const again = await stack.restore(target, '--point', points.first);
	t.is(again.outcome, 'success', again.error);
	t.deepEqual(await contents(), ['first', 'first']);
	await holdfast('restore', 'finish', again.run, '--yes');
	await holdfast('drill', target, '--point', points.second);

	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);
	// The newest that a drill has proven stays: that must not be the old one
	await holdfast('drill', target);
	await holdfast('prune');
	t.deepEqual(await listed(), [backup?.point]);
	const snapshots = JSON.parse(await stack.restic('snapshots', '--json')) as Array<{tags: string[]}>;
	t.true(snapshots.length > 0);
	t.true(
		snapshots.every(({tags}) => tags.includes(`run:${backup?.run}`)),
		JSON.stringify(snapshots),
	);
	await stack.restic('check', '--read-data');
});
