/** A copy on a second disk: killed on its way it shows nothing, then it is whole, and a restore falls back to it. By night, on servers. Lane: waits. Turns: surfaces. */
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {stringify} from 'yaml';
import type {CopyResult} from '../../../base/results.ts';
import type {PointView} from '../../../base/shapes/points.ts';
import {docker} from '../../support/docker.ts';
import {idleApp} from '../../support/stack/idle.ts';
import type {PlainSnapshot} from '../../support/stack/reader.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

/** KiB a second: the copy of the data takes some seconds. */
const limitUpload = 2048;

test('a copy that is killed shows nothing, is whole afterwards, and brings back what the primary repository has lost', async t => {
	t.timeout(5 * 60_000);
	const folder = await mkdtemp(join(tmpdir(), 'holdfast-copies-'));
	t.teardown(() => rm(folder, {recursive: true, force: true}));
	const disk = {repository: '/copy/repository', password: 'password of the disk', schedule: '0 0 29 2 *', limitUpload};
	await writeFile(join(folder, 'config.yml'), stringify({copies: {disk}}), {mode: 0o600});
	const mounts = (repository: string) => [
		'/var/run/docker.sock:/var/run/docker.sock',
		`${folder}:/etc/holdfast:ro`,
		`${repository}:/repository`,
		'copy:/copy',
		'hf-state:/state',
		'hf-cache:/cache',
	];
	const stack = await startStack(t, {
		services: {
			app: await idleApp({'holdfast.volumes': 'true'}),
		},
		volumes: ['data', 'copy', 'elsewhere'],
		holdfast: {volumes: mounts('hf-repository')},
	});
	const target = `${stack.project}/app`;
	const inCopy = async () => {
		const script = "RESTIC_PASSWORD='password of the disk' exec restic --no-lock --no-cache --repo /copy/repository snapshots --json";
		return JSON.parse(await stack.exec('holdfast', 'sh', '-c', script)) as PlainSnapshot[];
	};
	const isManifest = ({tags}: PlainSnapshot) => tags.some(tag => tag.startsWith('manifest:'));
	await stack.exec('app', 'sh', '-c', 'head -c 8000000 /dev/urandom >/data/file');
	const before = await stack.exec('app', 'sha256sum', '/data/file');
	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);

	const {body} = await stack.api('POST', '/api/v1/copy', {copies: ['disk']});
	const [started] = (body as {runs: Array<{run: string}>}).runs;
	const arrived = async () => Number((await stack.exec('holdfast', 'du', '-sb', '/copy/repository/data')).split('\t')[0]);
	await until('data to arrive', async () => (await arrived()) > 1_000_000, {timeout: 60_000, interval: 50});
	await docker(['kill', '--signal', 'KILL', stack.container('holdfast')]);
	await docker(['start', stack.container('holdfast')]);
	await stack.ready();
	t.deepEqual((await inCopy()).filter(isManifest), [], 'nothing partial is a point');
	const closed = async () => JSON.parse((await stack.holdfast('runs', started?.run ?? '', '--json')).stdout) as {outcome: string | null};
	await until('the run to be closed', async () => (await closed()).outcome === 'failed', {timeout: 60_000});

	const copied = JSON.parse((await stack.holdfast('copy', 'disk', '--json')).stdout) as CopyResult;
	t.like(copied, {outcome: 'success', target: 'repository:disk', copied: 1, points: 1}, copied.error);
	t.is((await inCopy()).length, 2, 'the volume and the manifest, none twice');
	const points = JSON.parse((await stack.holdfast('points', '--from', 'disk', '--json')).stdout) as PointView[];
	t.deepEqual(
		points.map(({point}) => point),
		[backup?.point ?? ''],
	);

	await stack.exec('app', 'sh', '-c', 'echo damaged >/data/file');
	await stack.change({volumes: mounts('elsewhere')});
	await until('the agent answers', async () => !(await stack.holdfast('points')).stderr.includes('no agent answers'), {timeout: 60_000});
	const lost = await stack.holdfast('points');
	t.is(lost.exitCode, 1);
	t.regex(lost.stderr, /is gone/);
	const restored = await stack.restore(target);
	t.is(restored.outcome, 'success', restored.error);
	t.is(await stack.exec('app', 'sha256sum', '/data/file'), before);
});
