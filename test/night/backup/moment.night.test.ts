/** What the moment costs: an outage that does not grow with the data. Lane: measures. */
import test, {type ExecutionContext} from 'ava';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {backUp, momentOfGroup, quiet} from '../../support/laws/moment.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

/** How long `restic backup` takes for all of a volume, by itself, into a new repository on the same disk. */
async function bareBackupSeconds(t: ExecutionContext, stack: Stack, volume: string): Promise<number> {
	const name = `${stack.project}-bare`;
	const image = await docker(['inspect', '--format={{.Image}}', stack.container('holdfast')]);
	const mounts = [`${stack.project}_${volume}:/data:ro`, `${name}:/repository`];
	await docker(['volume', 'create', '--label=holdfast-test=moment', name]);
	t.teardown(() => docker(['volume', 'rm', '--force', name]));
	const environment = ['RESTIC_PASSWORD=bare', 'RESTIC_REPOSITORY=/repository', 'RESTIC_CACHE_DIR=/repository/cache'];
	await docker([
		...['run', '--detach', '--name', name, '--label=holdfast-test=moment', '--entrypoint=sleep'],
		...mounts.flatMap(mount => ['--volume', mount]),
		...environment.flatMap(setting => ['--env', setting]),
		...[image, 'infinity'],
	]);
	const remove = () => docker(['rm', '--force', name]);
	try {
		await docker(['exec', name, 'restic', 'init']);
		const started = performance.now();
		await docker(['exec', name, 'restic', 'backup', '--quiet', '/data'], {timeout: 600_000});
		return (performance.now() - started) / 1000;
	} finally {
		await remove();
		await docker(['volume', 'rm', name]);
	}
}

test.serial('the outage of 2 GB in 20,000 files, of which 1 % change all the time, is a small part of a backup of it', async t => {
	t.timeout(20 * 60_000);
	const image = await ensureImage('holdfast-test/app:latest');
	const stack = await startStack(t, {
		slowKey: true,
		services: {
			app: {
				image,
				init: true,
				command: ['many-files', '/data/files', '20000', '100000', '100'],
				volumes: ['files:/data'],
				labels: {...quiet, 'holdfast.enable': 'true'},
			},
		},
		volumes: ['files'],
	});
	await until('the volume is filled', () => stack.exec('app', 'ls', '/data/filled'), {timeout: 300_000, interval: 500});
	const {result: first} = await backUp(t, stack, 'app');
	const bare = await bareBackupSeconds(t, stack, 'files');
	const {result: second} = await backUp(t, stack, 'app');
	for (const [which, {quiesceSeconds}] of Object.entries({first, second})) {
		const share = quiesceSeconds / bare;
		t.log(`${which} backup: outage ${quiesceSeconds.toFixed(2)} s, bare restic ${bare.toFixed(2)} s: ${(share * 100).toFixed(1)} %`);
		t.true(share <= 0.15, `${which} backup: ${quiesceSeconds} s of ${bare} s`);
	}

	t.true((second.sources[0]?.bytes ?? 0) >= 1_990_000_000);
});

test.serial('the outage of a group does not grow with its database', async t => {
	t.timeout(20 * 60_000);
	const [small, big] = await momentOfGroup(t, [20, 1980]);
	const [smallest, outage, dump] = [small?.outage ?? 0, big?.outage ?? Number.NaN, big?.dump ?? Number.NaN];
	t.true(dump > 2 * outage, `dump ${dump} s, outage ${outage} s`);
	t.true(outage < 3 * smallest + 1, `${outage} s with the big database, ${smallest} s with the small one`);
});
