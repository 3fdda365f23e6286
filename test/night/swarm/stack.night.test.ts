/** A stack of Docker Swarm, on an engine of its own: found by its stack and service, stopped by its number of tasks, and put back also after a death. Lane: waits. */
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {stringify} from 'yaml';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {canStartSecondEngine, startSecondEngine} from '../../support/machine/second-engine.ts';
import {observeBackup, stepsOf} from '../../support/stack/observe.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const target = 'shop/app';

/** Both files are written one after the other, all the time: of one moment they differ by one at most. */
const writer = `n=$(cat /data/a 2>/dev/null || echo 0); while :; do n=$((n+1)); echo $n >/data/a; echo $n >/data/b; sleep 0.02; done`;

if (await canStartSecondEngine()) {
	test('a service of a stack is backed up, restored, undone, and scaled back after a death', async t => {
		t.timeout(15 * 60_000);
		const image = await ensureImage('holdfast-test/app:latest');
		const engine = await startSecondEngine();
		t.teardown(engine.remove);
		await engine.load([image, process.env.HOLDFAST_TEST_IMAGE ?? 'holdfast:dev']);
		const {host} = engine;
		const swarm = async (...argv: string[]) => docker(argv, {host});
		await swarm('swarm', 'init', '--advertise-addr', '127.0.0.1');
		const folder = await mkdtemp(join(tmpdir(), 'holdfast-swarm-'));
		t.teardown(async () => rm(folder, {recursive: true, force: true}));
		const file = join(folder, 'stack.yml');
		await writeFile(
			file,
			stringify({
				version: '3.8',
				services: {
					app: {
						image,
						init: true,
						stop_grace_period: '2s',
						command: ['sh', '-c', writer.replaceAll('$', '$$$$')],
						volumes: ['data:/data'],
						networks: ['host'],
						// The service's own, beside those of its containers
						deploy: {replicas: 1, labels: {'holdfast.quiesce': 'stop'}, restart_policy: {condition: 'any', delay: '1s'}},
						labels: {'holdfast.enable': 'true'},
					},
				},
				volumes: {data: {}},
				networks: {host: {external: true, name: 'host'}},
			}),
		);
		await swarm('stack', 'deploy', '--resolve-image=never', '--compose-file', file, 'shop');

		const task = async () =>
			(await swarm('ps', '--quiet', '--filter', 'label=com.docker.swarm.service.name=shop_app', '--filter', 'status=running')).trim();
		const running = async () => until('the task to run', async () => (await task()) !== '', {timeout: 120_000, interval: 200});
		const inTask = async (script: string) => swarm('exec', await task(), 'sh', '-c', script);
		const replicas = async () => (await swarm('service', 'inspect', '--format', '{{.Spec.Mode.Replicated.Replicas}}', 'shop_app')).trim();
		await running();
		const stack = await startStack(t, {services: {}, engine, holdfast: {environment: {HOLDFAST_PROJECTS: 'shop'}}});

		await until('the application to write', async () => (await inTask('cat /data/b || true')) !== '', {timeout: 60_000});
		const first = await observeBackup(stack, target, async event => {
			if (event.type === 'step' && event.step === 'pin') {
				t.is(await replicas(), '0');
				t.is(await task(), '');
			}
		});
		t.is(first.result.outcome, 'success', first.result.error);
		t.true(stepsOf(first.events).includes('quiesce'));
		await running();
		t.is(await replicas(), '1');
		const snapshot = first.result.sources[0]?.snapshot ?? '';
		const [a, b] = await Promise.all(
			['a', 'b'].map(async name => Number(await stack.restic('dump', snapshot, `/${target}/volume/data/${name}`))),
		);
		t.true((a as number) - (b as number) <= 1, `${a} and ${b}`);

		// Another task, of another name: the same target, with its points
		await swarm('service', 'update', '--detach', '--force', '--quiet', 'shop_app');
		await running();
		const point = first.result.point ?? '';
		await inTask('echo precious >/data/kept');
		const restored = await stack.restore(target, '--point', point);
		t.is(restored.outcome, 'success', restored.error);
		await running();
		t.is(await replicas(), '1');
		t.is(await inTask('ls /data'), 'a\nb');
		const undone = await stack.holdfast('restore', 'undo', restored.run, '--yes');
		t.is(undone.exitCode, 0, undone.stderr);
		await running();
		t.is(await inTask('cat /data/kept'), 'precious');

		// Dead while the service is scaled to nothing
		await observeBackup(stack, target, async event => {
			if (event.type === 'step' && event.step === 'pin') {
				await swarm('kill', '--signal=KILL', stack.container('holdfast'));
			}
		}).catch(() => {});
		t.is(await replicas(), '0');
		await swarm('start', stack.container('holdfast'));
		await until('the service to be as it was', async () => (await replicas()) === '1' && (await task()) !== '', {
			timeout: 120_000,
			interval: 200,
		});
		await stack.ready();
		const [last] = await stack.backup(target);
		t.is(last?.outcome, 'success', last?.error);
	});
} else {
	test.skip('only root on Debian with a local engine can start a second one', t => t.pass());
}
