/** Podman's API in the place of Docker's: the agent finds itself, its workers have the repository, and nothing stays held after a death. Lane: waits. */
import process from 'node:process';
import test from 'ava';
import type {BackupResult, RestoreResult} from '../../../base/results.ts';
import {docker} from '../../support/docker.ts';
import {freePort} from '../../support/free-port.ts';
import {ensureImage} from '../../support/images.ts';
import {startPodman} from '../../support/machine/podman.ts';
import {canStartSecondEngine} from '../../support/machine/second-engine.ts';
import {until} from '../../support/until.ts';

const image = process.env.HOLDFAST_TEST_IMAGE ?? 'holdfast:dev';
const podman = (await canStartSecondEngine()) ? await startPodman() : 'only root on Debian can start it';

if (typeof podman === 'string') {
	console.error(`holdfast: NOTHING IS KNOWN OF PODMAN: ${podman}`);
	test.skip(`Podman: ${podman}`, t => t.pass());
} else {
	test('a container of Podman is backed up, restored and undone, and released after a death', async t => {
		t.timeout(10 * 60_000);
		t.teardown(podman.remove);
		const {host, socket} = podman;
		const app = await ensureImage('holdfast-test/app:latest');
		await podman.load([app, image]);
		const run = async (...argv: string[]) => docker(argv, {host});
		const holdfast = async <Shape>(...argv: string[]): Promise<Shape> =>
			JSON.parse(await run('exec', 'holdfast', 'holdfast', ...argv, '--json')) as Shape;
		const labels = ['holdfast.enable=true', 'holdfast.volumes=true'].flatMap(label => ['--label', label]);
		const trap = 'trap "exit 0" TERM; while :; do sleep 0.1; done';
		await run('run', '--detach', '--name', 'app', '--network=host', ...labels, '--volume', 'data:/data', app, 'sh', '-c', trap);
		const write = async (word: string) => run('exec', 'app', 'sh', '-c', `echo ${word} >/data/file`);
		const read = async () => (await run('exec', 'app', 'cat', '/data/file')).trim();
		await write('first');
		const mounts = [`${socket}:/var/run/docker.sock`, 'repository:/repository', 'state:/state', 'cache:/cache'];
		// The host's network is all there is, and others may listen there.
		const listen = `HOLDFAST_LISTEN=127.0.0.1:${await freePort()}`;
		const volumes = mounts.flatMap(mount => ['--volume', mount]);
		await run('run', '--detach', '--name', 'holdfast', '--network=host', '--env', listen, ...volumes, image);
		const ready = async () =>
			until(
				'the agent',
				async () =>
					run('exec', 'holdfast', 'holdfast', 'healthcheck').then(
						() => true,
						() => false,
					),
				{timeout: 60_000},
			);
		await ready();

		const backup = await holdfast<BackupResult>('backup', 'app');
		t.is(backup.outcome, 'success', backup.error);
		const plain = ['restic', '--repo', '/repository', '--password-file', '/state/repository-password', '--no-lock'];
		const [{id} = {id: ''}] = JSON.parse(await run('exec', 'holdfast', ...plain, 'snapshots', '--json', '--tag', 'source:volume:/data'));
		t.is(
			(await run('exec', 'holdfast', ...plain, 'dump', id, '/app/volume/data/file')).trim(),
			'first',
			'the workers wrote to the repository of the agent',
		);

		await write('damaged');
		const began = Date.now();
		const restored = await holdfast<RestoreResult>('restore', 'app', '--yes');
		t.is(restored.outcome, 'success', restored.error);
		t.is(await read(), 'first');
		t.true(Date.now() - began < 90_000, 'a container without a health check is not waited for');
		await run('exec', 'holdfast', 'holdfast', 'restore', 'undo', restored.run);
		t.is(await read(), 'damaged');

		const going = run('exec', 'holdfast', 'holdfast', 'backup', 'app').catch(() => '');
		await until(
			'the application to stand still',
			async () => (await run('inspect', '--format', '{{.State.Status}}', 'app')).trim() === 'paused',
			{
				timeout: 60_000,
				interval: 10,
			},
		);
		await run('kill', 'holdfast');
		await going;
		await run('start', 'holdfast');
		await ready();
		await until('it to be put back', async () => (await run('inspect', '--format', '{{.State.Status}}', 'app')).trim() === 'running', {
			timeout: 60_000,
		});
		t.is((await holdfast<BackupResult>('backup', 'app')).outcome, 'success');
	});
}
