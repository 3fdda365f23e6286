/** Runs take turns by what they touch, not by the names of targets: nobody fails because of another, and nothing half restored is kept. Lane: waits. */
import test from 'ava';
import type {RestoreResult} from '../../../base/results.ts';
import {ensureImage} from '../../support/images.ts';
import {observeBackup, stepsOf} from '../../support/stack/observe.ts';
import {type Stack, startStack} from '../../support/stack.ts';

let stack: Stack;
const teardowns: Array<() => unknown> = [];
const target = (service: string) => `${stack.project}/${service}`;

test.before(async t => {
	t.timeout(5 * 60_000);
	const image = await ensureImage('holdfast-test/app:latest');
	const service = {image, init: true, command: ['sleep', 'infinity'], volumes: ['data:/data'], labels: {'holdfast.enable': 'true'}};
	stack = await startStack({teardown: undo => teardowns.push(undo)}, {volumes: ['data'], services: {app: service, worker: service}});
	await stack.exec('app', 'sh', '-c', 'mkdir /data/many; for n in $(seq 2000); do echo old >/data/many/$n; done; truncate -s 2G /data/big');
});

test.after.always(async () => {
	for (const undo of teardowns.toReversed()) {
		await undo();
	}
});

test.serial('two targets with one volume, at the same time: one after the other, both good', async t => {
	t.timeout(5 * 60_000);
	for (let round = 0; round < 3; round++) {
		const results = await stack.backup(target('app'), target('worker'));
		t.deepEqual(
			results.map(({outcome, error}) => [outcome, error]),
			[
				['success', undefined],
				['success', undefined],
			],
		);
	}

	t.deepEqual([await stack.state('app'), await stack.state('worker')], ['running', 'running']);
});

test.serial('a backup that meets a restore of its storage waits for it, and keeps what is whole', async t => {
	t.timeout(5 * 60_000);
	await stack.exec('app', 'sh', '-c', 'for n in $(seq 2000); do echo new >/data/many/$n; done');
	const {body} = await stack.api('POST', '/api/v1/restore', {target: target('app'), point: 'latest', only: [], trigger: 'api'});
	const {run} = body as {run: string};
	let backup: Promise<Awaited<ReturnType<typeof observeBackup>>> | undefined;
	let restored: RestoreResult | undefined;
	for await (const event of stack.follow(run)) {
		if (event.type === 'step' && event.step === 'load') {
			backup ??= observeBackup(stack, target('worker'));
		}

		if (event.type === 'finished') {
			restored = event.result as RestoreResult;
		}
	}

	t.is(restored?.outcome, 'success', restored?.error);
	const seen = await backup;
	t.is(seen?.result.outcome, 'success', seen?.result.error);
	t.true(
		seen?.events.some(
			event => event.type === 'step' && event.step === 'wait' && event.subject === `run ${run} (restore of ${target('app')})`,
		),
		JSON.stringify(seen === undefined ? [] : stepsOf(seen.events)),
	);
	t.is(await stack.exec('app', 'sh', '-c', 'cat /data/many/* | sort -u'), 'old');
});

test.serial('a restore that meets a backup waits for it, and does not take whom it has paused for resting', async t => {
	t.timeout(5 * 60_000);
	let restore: Promise<RestoreResult> | undefined;
	const {result} = await observeBackup(stack, target('worker'), event => {
		if (event.type === 'step' && event.step === 'pin') {
			restore = stack.restore(target('app'));
		}
	});
	t.is(result.outcome, 'success', result.error);
	const restored = await restore;
	t.is(restored?.outcome, 'success', restored?.error);
	t.true((restored?.outageSeconds ?? 0) > 0, 'it was stopped');
	t.deepEqual([await stack.state('app'), await stack.state('worker')], ['running', 'running']);
});
