/** The application stands still for a snapshot of its file system, and not for its files. Lane: works. Turns: moments. */
import {mkdir, readdir} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import {docker, tryDocker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {canMountBtrfs, mountBtrfs} from '../../support/machine/btrfs.ts';
import {plainReader, readerService} from '../../support/stack/reader.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

/** Writes to one file, then to the other, for ever: of one moment they differ by one at most. */
const counting = 'i=0; while :; do i=$((i+1)); echo $i >/data/a; echo $i >/data/b; done';

/** Skipped where only root could, or the kernel cannot. */
const withBtrfs = canMountBtrfs() ? test : test.skip;

/** @returns its root */
async function btrfs(t: ExecutionContext): Promise<string> {
	const made = await mountBtrfs(2 * 1024 ** 3);
	if (made === undefined) {
		throw new Error('btrfs cannot be mounted here any more');
	}

	t.teardown(made.close);
	for (const name of ['data', 'nested', 'nested/inner']) {
		await made.makeSubvolume(name);
	}

	await mkdir(join(made.root, 'folder'));
	await mkdir(join(made.root, 'snapshots'));
	return made.root;
}

withBtrfs('a snapshot of the file system is the moment, and nothing of it is left', async t => {
	t.timeout(15 * 60_000);
	const root = await btrfs(t);
	const app = await ensureImage('holdfast-test/app:latest');
	const service = (folder: string) => ({
		image: app,
		init: true,
		entrypoint: ['sh', '-c', counting],
		volumes: [`${join(root, folder)}:/data`],
		labels: {'holdfast.enable': 'true', 'holdfast.volumes': '/data', 'holdfast.quiesce': 'snapshot'},
	});
	const stack = await startStack(t, {
		services: {reader: readerService(), app: service('data'), nested: service('nested'), folder: service('folder')},
		holdfast: {
			volumes: [
				'/var/run/docker.sock:/var/run/docker.sock',
				'hf-repository:/repository',
				'hf-state:/state',
				'hf-cache:/cache',
				`${join(root, 'snapshots')}:/snapshots`,
			],
		},
	});
	const target = `${stack.project}/app`;
	const snapshots = async () => readdir(join(root, 'snapshots'));
	// An owner of its own: btrfs makes snapshots for that one alone.
	await stack.exec('app', 'sh', '-c', 'mkdir /data/big; chown -R 1000:1000 /data');
	const fill = async () =>
		stack.exec('app', 'sh', '-c', 'for n in 1 2 3; do dd if=/dev/urandom of=/data/big/$n bs=1M count=100 2>/dev/null; done');
	const reader = plainReader(stack);

	for (const name of ['first', 'second']) {
		await fill();
		const [result] = await stack.backup(target);
		t.like(result, {outcome: 'success', warnings: undefined, error: undefined}, name);
		const steps: string[] = [];
		for await (const event of stack.follow(result?.run ?? '')) {
			if (event.type === 'step') {
				steps.push(event.step);
			}
		}

		t.true(steps.indexOf('resume') < steps.indexOf('store'), steps.join(' '));
		t.log(`${name}: stood still for ${result?.quiesceSeconds.toFixed(2)} s of ${result?.durationSeconds.toFixed(1)} s`);
		t.deepEqual(await snapshots(), [], name);
		const read = async (file: string) =>
			Number(await stack.restic('dump', result?.sources[0]?.snapshot ?? '', `/${target}/volume/data/${file}`));
		const [a, b] = [await read('a'), await read('b')];
		t.true(a - b === 0 || a - b === 1, `${a} and ${b} are not of one moment`);
		t.is((await reader.snapshots(`run:${result?.run}`)).length, 2, 'the files, and the manifest');
	}

	const sums = async () => stack.exec('app', 'sh', '-c', 'cd /data/big && sha256sum *');
	const before = await sums();
	await stack.exec('app', 'sh', '-c', 'rm /data/big/1; echo other >/data/big/2');
	t.is((await stack.restore(target)).outcome, 'success');
	t.is(await sums(), before);

	for (const [other, why] of [
		['nested', /a subvolume is in it, at inner/],
		['folder', /it is a folder, and only a subvolume can/],
	] as const) {
		const [result] = await stack.backup(`${stack.project}/${other}`);
		t.is(result?.outcome, 'success', result?.error);
		t.regex(result?.warnings?.join('\n') ?? '', why);
		t.true((result?.quiesceSeconds ?? 0) > 0);
	}

	await fill();
	const running = stack.holdfast('backup', target);
	await until('the snapshot', async () => (await snapshots()).length > 0, {timeout: 120_000});
	await docker(['kill', stack.container('holdfast')]);
	await running;
	t.is((await snapshots()).length, 1);
	await stack.compose('start', 'holdfast');
	await stack.ready();
	await until('that what was left is removed', async () => (await snapshots()).length === 0, {timeout: 120_000});
	t.is(await stack.state('app'), 'running');
	t.is((await stack.backup(target))[0]?.outcome, 'success');
	t.deepEqual(await snapshots(), []);
	t.truthy(await tryDocker(['inspect', stack.container('app')]));

	// File by file it cannot be removed, and as a whole it can, where the file system lets its owner.
	await execa('chattr', ['+i', join(root, 'data/big/1')]);
	const [stuck] = await stack.backup(target);
	t.is(stuck?.outcome, 'success', stuck?.error);
	t.regex(stuck?.warnings?.join('\n') ?? '', /snapshot of `volume:\/data` could not be removed: .*big\/1/s);
	t.is((await snapshots()).length, 1);
	await execa('mount', ['-o', 'remount,user_subvol_rm_allowed', root]);
	const [whole] = await stack.backup(target);
	t.like(whole, {outcome: 'success', warnings: undefined});
	t.is((await snapshots()).length, 1, 'but for what was left');
	await stack.compose('restart', 'holdfast');
	await stack.ready();
	await until('that what was left is removed', async () => (await snapshots()).length === 0, {timeout: 120_000});
});
