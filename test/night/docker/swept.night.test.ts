/** What is done to an engine while a run is under way: it is killed, swept, and projects are taken down. Nothing hangs, nothing is lost, and it is told. Lane: waits. */
import test, {type ExecutionContext} from 'ava';
import type {RunEvent} from '../../../base/events.ts';
import {ensureImage} from '../../support/images.ts';
import {canStartSecondEngine, type SecondEngine, startSecondEngine} from '../../support/machine/second-engine.ts';
import {observeBackup} from '../../support/stack/observe.ts';
import {type Service, type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

let engine: SecondEngine | undefined;
let image = '';
const possible = await canStartSecondEngine();
const serially = possible ? test.serial : test.serial.skip;

test.before(async t => {
	t.timeout(10 * 60_000);
	if (possible) {
		image = await ensureImage('holdfast-test/app:latest');
		engine = await startSecondEngine();
		await engine.load([image, process.env.HOLDFAST_TEST_IMAGE ?? 'holdfast:dev']);
	}
});

test.after.always(async () => engine?.remove());

const app = (labels: Record<string, string> = {}): Service => ({
	image,
	command: ['sleep', 'infinity'],
	init: true,
	restart: 'unless-stopped',
	volumes: ['data:/data'],
	labels: {'holdfast.enable': 'true', ...labels},
});

/**
 * An engine that was killed ends, at its next start, what it finds running, and takes that for a person's stop: it starts again what is `always` to
 * run, and leaves down what is so only unless it was stopped, whether anybody backs it up or not (20.10 and 28.5, the same without Holdfast; moby#41302
 * has the mark). Holdfast starts what it has stopped itself, under either.
 */
const always = (service: Service): Service => ({...service, restart: 'always'});

/** It takes its time to end: meanwhile the other stands still. */
const slow = (): Service => ({
	image,
	command: ['sh', '-c', 'trap "" TERM; while :; do sleep 1; done'],
	stop_grace_period: '20s',
	restart: 'unless-stopped',
});

const cold = {'holdfast.quiesce': 'stop', 'holdfast.quiesce.with': 'slow'};

const onEngine = async (t: ExecutionContext, services: Record<string, Service>): Promise<Stack> => {
	const stack = await startStack(t, {engine: engine as SecondEngine, holdfast: {restart: 'always'}, volumes: ['data'], services});
	await stack.exec('app', 'sh', '-c', 'echo content >/data/file');
	return stack;
};

const isStopped = async (stack: Stack) => (await stack.state('app')) === 'exited';

async function assertWell(t: ExecutionContext, stack: Stack): Promise<void> {
	const [result] = await stack.backup(`${stack.project}/app`);
	t.is(result?.outcome, 'success', result?.error);
	const left = await stack.docker(['ps', '--all', '--quiet', '--filter', 'label=holdfast.worker']);
	t.is(left, '', 'no worker is left');
}

for (const [what, labels] of [
	['stopped', cold],
	['paused', {'holdfast.before': '["sleep", "20"]', 'holdfast.before.timeout': '1m', 'holdfast.before.on-error': 'continue'}],
] as const) {
	serially(
		`the engine is killed in a backup whose application is to be ${what}, and comes back: it runs, and the next backup is good`,
		async t => {
			t.timeout(10 * 60_000);
			const stack = await onEngine(t, what === 'stopped' ? {app: app(labels), slow: slow()} : {app: always(app(labels))});
			const going = stack.holdfast('backup', `${stack.project}/app`);
			const isBegun = async () =>
				what === 'stopped' ? isStopped(stack) : (await stack.docker(['top', stack.container('app')])).includes('sleep 20');
			await until('the run to be in the midst of it', isBegun, {timeout: 120_000, interval: 100});
			await engine?.kill();
			await engine?.start();
			await going;
			await until('the agent', async () => (await stack.holdfast('healthcheck').catch(() => undefined))?.exitCode === 0, {
				timeout: 180_000,
			});
			await until('the application to run', async () => (await stack.state('app')) === 'running', {timeout: 120_000});
			t.deepEqual(JSON.parse((await stack.holdfast('points', `${stack.project}/app`, '--json')).stdout), [], 'what broke off is no point');
			const [last] = JSON.parse((await stack.holdfast('runs', '--json')).stdout) as Array<{outcome: string; result: {error?: string}}>;
			t.is(last?.outcome, 'failed');
			await assertWell(t, stack);
		},
	);
}

serially(
	'`docker system prune -af --volumes` while the application is stopped takes its container, and no data; the run says so, with the way back',
	async t => {
		t.timeout(10 * 60_000);
		const stack = await onEngine(t, {app: app(cold), slow: slow()});
		let swept = '';
		const {result} = await observeBackup(stack, `${stack.project}/app`, async event => {
			if (event.type === 'step' && event.step === 'quiesce' && event.subject?.includes('slow')) {
				await until('the application to be stopped', async () => isStopped(stack), {timeout: 60_000, interval: 50});
				swept = await stack.docker(['system', 'prune', '--all', '--force', '--volumes']);
			}
		});
		t.regex(swept, /Deleted Containers/);
		t.is(result.outcome, 'failed');
		t.regex(result.error ?? '', /app-1` was removed while it was quiesced.*it is down.*docker compose up --detach.*prune/s);
		await stack.compose('up', '--detach', '--no-deps', 'app');
		t.is(await stack.exec('app', 'cat', '/data/file'), 'content');
		await assertWell(t, stack);
	},
);

for (const step of ['workers', 'first-pass', 'quiesce', 'pin', 'store', 'publish']) {
	serially(`an application that is removed by hand in step \`${step}\` of its backup keeps nobody waiting, and leaves nothing`, async t => {
		t.timeout(10 * 60_000);
		const stack = await onEngine(t, {app: app()});
		let removing: Promise<unknown> | undefined;
		const {result, events} = await observeBackup(stack, `${stack.project}/app`, (event: RunEvent) => {
			if (event.type === 'step' && event.step === step) {
				removing ??= stack.docker(['rm', '--force', stack.container('app')]);
			}
		});
		await removing;
		t.log(`${removing === undefined ? 'no such step' : step}: ${result.outcome} ${result.error ?? ''}`);
		t.true(events.length > 0);
		t.true(result.durationSeconds < 120, `${result.durationSeconds} s`);
		await stack.compose('up', '--detach', 'app');
		await assertWell(t, stack);
	});
}

serially(
	'`docker compose down -v` of the application in its backup: the run ends, the volume is gone when its worker is, and it is missed',
	async t => {
		t.timeout(10 * 60_000);
		const stack = await onEngine(t, {app: app({'holdfast.before': '["sleep", "15"]', 'holdfast.before.timeout': '1m'})});
		const target = `${stack.project}/app`;
		await assertWell(t, stack);
		const volume = `${stack.project}_data`;
		let down: Promise<unknown> | undefined;
		const {result} = await observeBackup(stack, target, event => {
			if (event.type === 'step' && event.step === 'before-hooks') {
				down ??= stack
					.docker(['rm', '--force', stack.container('app')])
					.then(async () => stack.docker(['volume', 'rm', volume]).catch(String));
			}
		});
		t.log(`${await down}; ${result.outcome} ${result.error}`);
		t.is(result.outcome, 'failed');
		t.true(result.durationSeconds < 120);
		const left = async () => stack.docker(['ps', '--all', '--quiet', '--filter', 'label=holdfast.worker']);
		await until('no worker to be left', async () => (await left()) === '', {timeout: 60_000});
		await until(
			'the volume to be removable',
			async () =>
				stack.docker(['volume', 'rm', '--force', volume]).then(
					() => true,
					() => false,
				),
			{timeout: 60_000},
		);
		t.regex((await stack.holdfast('status')).stdout, /not found any more|gone|missed/i);
	},
);
