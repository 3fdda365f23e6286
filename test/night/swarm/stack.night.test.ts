/** A stack of Docker Swarm, on an engine of its own: found by its stack and service, stopped by its number of tasks, and put back also after a death. Lane: waits. */
import test from 'ava';
import {canStartSecondEngine} from '../../support/machine/second-engine.ts';
import {observeBackup, stepsOf} from '../../support/stack/observe.ts';
import {startSwarmService} from '../../support/stack/swarm-service.ts';
import {until} from '../../support/until.ts';

if (await canStartSecondEngine()) {
	test('a service of a stack is backed up, restored, undone, and scaled back after a death', async t => {
		t.timeout(15 * 60_000);
		const {target, stack, swarm, task, inTask, running, replicas} = await startSwarmService(t, {quiesce: 'stop'});
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
