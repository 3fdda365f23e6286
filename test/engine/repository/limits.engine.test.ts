/** What a restore and a backup may take: of the line to the repository, and of a disk on which files have holes. Lane: waits. Turns: repository. */
import test from 'ava';
import {ensureImage} from '../../support/images.ts';
import {startStack} from '../../support/stack.ts';

/** At 512 KiB/s each way: without a limit it is done in a moment. */
const bytes = 4 * 1024 ** 2;
const leastMs = 7000;

test('limits of up- and download hold for the primary repository; a sparse file counts what it holds', async t => {
	t.timeout(6 * 60_000);
	const image = await ensureImage('holdfast-test/app:latest');
	const app = (volume: string) => ({
		image,
		init: true,
		command: ['sleep', 'infinity'],
		volumes: [`${volume}:/data`],
		labels: {'holdfast.enable': 'true'},
	});
	const stack = await startStack(t, {
		volumes: ['data', 'holes'],
		// A disk that could not hold the file if it were full
		volumeOptions: {holes: {type: 'tmpfs', device: 'tmpfs', o: 'size=64m'}},
		services: {app: app('data'), sparse: app('holes')},
		holdfast: {environment: {HOLDFAST_LIMIT_UPLOAD: '512', HOLDFAST_LIMIT_DOWNLOAD: '512'}},
	});
	const timed = async <Value>(what: string, work: () => Promise<Value>): Promise<Value> => {
		const begun = performance.now();
		const value = await work();
		const took = performance.now() - begun;
		t.true(took > leastMs, `${what}: ${Math.round(took)} ms`);
		return value;
	};
	const word = 'sha256sum </data/file';
	await stack.exec('app', 'sh', '-c', `head -c ${bytes} /dev/urandom >/data/file`);
	const before = await stack.exec('app', 'sh', '-c', word);
	const [stored] = await timed('upload', async () => stack.backup(`${stack.project}/app`));
	t.is(stored?.outcome, 'success', stored?.error);
	await stack.exec('app', 'rm', '/data/file');
	const restored = await timed('download', async () => stack.restore(`${stack.project}/app`));
	t.is(restored.outcome, 'success', restored.error);
	t.is(await stack.exec('app', 'sh', '-c', word), before);

	const look = async () =>
		stack.exec('sparse', 'sh', '-c', 'stat --format=%s /data/disk; tail -c 5 /data/disk; test $(du -k /data/disk | cut -f1) -lt 8192');
	await stack.exec('sparse', 'sh', '-c', 'truncate --size=1G /data/disk; printf large >>/data/disk');
	const held = await look();
	const [sparse] = await stack.backup(`${stack.project}/sparse`);
	t.is(sparse?.outcome, 'success', sparse?.error);
	await stack.exec('sparse', 'sh', '-c', 'rm /data/disk');
	const back = await stack.restore(`${stack.project}/sparse`);
	t.is(back.outcome, 'success', back.error);
	t.is(await look(), held);
	const drilled = await stack.holdfast('drill', `${stack.project}/sparse`, '--json');
	t.is(drilled.exitCode, 0, drilled.stdout);
});
