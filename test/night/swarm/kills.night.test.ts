/**
 * The engine of a node, which is the Swarm's manager, is killed in the middle of a backup and of a restore of a service: nothing is lost, the service has
 * its tasks again, the run is told as failed, and the next one works. Lane: waits.
 */
import test, {type ExecutionContext} from 'ava';
import type {RunEvent} from '../../../base/events.ts';
import type {RunView} from '../../../base/shapes/runs.ts';
import type {StatusView} from '../../../base/shapes/targets.ts';
import {canStartSecondEngine} from '../../support/machine/second-engine.ts';
import {startSwarmService} from '../../support/stack/swarm-service.ts';
import {until} from '../../support/until.ts';

type Yard = Awaited<ReturnType<typeof startSwarmService>>;

/** Begins a run by the API, and kills the engine at the first event that is meant. */
async function killedAt({stack, engine}: Yard, path: string, body: unknown, isMeant: (event: RunEvent) => boolean): Promise<string> {
	const {body: answer} = await stack.api('POST', `/api/v1/${path}`, body);
	const {run, runs} = answer as {run?: string; runs?: Array<{run: string}>};
	const id = run ?? runs?.[0]?.run ?? '';
	for await (const event of stack.follow(id)) {
		if (isMeant(event)) {
			await engine.kill();
			break;
		}

		if (event.type === 'finished') {
			throw new Error(`${path} ended before it was killed: ${JSON.stringify(event)}`);
		}
	}

	await engine.start();
	return id;
}

const status = async (stack: Yard['stack']): Promise<StatusView> => {
	const [first] = JSON.parse((await stack.holdfast('status', '--json')).stdout) as StatusView[];
	return first as StatusView;
};

async function assertRight(
	t: ExecutionContext,
	{stack, target, running, replicas, inTask}: Yard,
	{run, what, outcome = /^failed$/}: {run: string; what: string; outcome?: RegExp},
) {
	await stack.ready();
	await until(`${what}: the service to be as it was`, async () => (await replicas().catch(() => '')) === '1', {
		timeout: 180_000,
		interval: 500,
	});
	await running();
	const before = Number(await inTask('cat /data/a'));
	await until(`${what}: the application to write`, async () => Number(await inTask('cat /data/a').catch(() => '0')) > before, {
		timeout: 60_000,
	});
	let view: RunView | undefined;
	await until(
		`${what}: the run to be over`,
		async () => {
			view = JSON.parse((await stack.holdfast('runs', run, '--json')).stdout || '{}') as RunView;
			return view.state === 'finished';
		},
		{timeout: 120_000},
	);
	t.regex(view?.result?.outcome ?? '', outcome, `${what}: ${JSON.stringify(view?.result)}`);
	// What the dead one left may be settled by a run of its own.
	await until(`${what}: nothing to be under way`, async () => (await status(stack)).running === null, {timeout: 180_000});
	const [next] = await stack.backup(target);
	t.is(next?.outcome, 'success', `${what}: ${next?.error}`);
	t.is(await replicas(), '1', what);
}

const isStep =
	(...steps: string[]) =>
	(event: RunEvent) =>
		event.type === 'step' && steps.includes(event.step);

if (await canStartSecondEngine()) {
	test('the manager is killed while a service is stopped, or paused, for its backup', async t => {
		t.timeout(20 * 60_000);
		const yard = await startSwarmService(t, {quiesce: 'stop', holdfast: {restart: 'always'}});
		const backup = {targets: [yard.target], trigger: 'api'};
		for (const step of ['quiesce', 'pin']) {
			const run = await killedAt(yard, 'backup', backup, isStep(step));
			await assertRight(t, yard, {run, what: `stop, killed at ${step}`});
		}

		await yard.deploy({'holdfast.quiesce': 'pause'});
		await yard.running();
		const run = await killedAt(yard, 'backup', backup, isStep('pin'));
		await assertRight(t, yard, {run, what: 'pause, killed at pin'});
		t.regex(await yard.stack.restic('check', '--read-data'), /no errors were found/);
	});

	test('the manager is killed in the middle of a restore of a service', async t => {
		t.timeout(20 * 60_000);
		const yard = await startSwarmService(t, {quiesce: 'pause', holdfast: {restart: 'always'}});
		const {stack, target, inTask, running} = yard;
		await inTask('echo kept >/data/kept');
		const [first] = await stack.backup(target);
		t.is(first?.outcome, 'success', first?.error);
		for (const step of ['stop', 'swap', 'start']) {
			await running();
			await inTask('echo new >/data/new; rm -f /data/kept');
			const what = `restore, killed at ${step}`;
			const run = await killedAt(yard, 'restore', {target, point: first?.point, acknowledged: true, trigger: 'api'}, isStep(step));
			// All is swapped when they are started again.
			await assertRight(t, yard, {run, what, ...(step === 'start' && {outcome: /^(?:failed|success)$/})}).catch(async (error: unknown) => {
				t.log(await yard.swarm('logs', '--tail', '60', yard.stack.container('holdfast')));
				t.log(await yard.swarm('service', 'ps', 'shop_app'));
				t.log((await yard.stack.holdfast('doctor')).stdout);
				throw error;
			});
			// All of what was there, or all of the point
			const files = (await inTask('ls /data')).split('\n').filter(name => name === 'kept' || name === 'new');
			t.is(files.length, 1, `${what}: ${files.join()}`);
			const restored = await stack.restore(target, '--point', first?.point ?? '');
			t.is(restored.outcome, 'success', `${what}: ${restored.error}`);
			t.is((await inTask('cat /data/kept')).trim(), 'kept', what);
			t.is((await stack.holdfast('restore', 'finish', restored.run, '--yes')).exitCode, 0, what);
		}
	});
} else {
	test.skip('only root on Debian with a local engine can start a second one', t => t.pass());
}
