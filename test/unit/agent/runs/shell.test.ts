/** What is left when the work is done is done while its workers are dismissed, and whatever goes wrong, each of both is tried and told. */
import test from 'ava';
import {withWorkers} from '../../../../agent/runs/shell.ts';
import type {Workforce} from '../../../../docker/worker.ts';

interface Scene {
	work?: () => Promise<string>;
	dismiss?: () => Promise<void>;
	last?: (worked: string) => Promise<void>;
}

async function run({work = async () => 'worked', dismiss = async () => {}, last = async () => {}}: Scene) {
	const steps: string[] = [];
	const workforce = {dismiss} as unknown as Workforce;
	const tell = (event: {step?: string}) => void steps.push(event.step ?? '');
	const failures = await withWorkers({hire: async () => workforce}, {run: 'r1', tell: tell as never}, work, last);
	return {steps, failures: failures.map(String)};
}

test('the last step waits for no dismissal, nor that for it; the clean-up is told when it is over', async t => {
	const dismissing = Promise.withResolvers<void>();
	const done: string[] = [];
	const {steps, failures} = await run({
		async dismiss() {
			await dismissing.promise;
			done.push('dismissed');
		},
		async last(worked) {
			done.push(worked);
			dismissing.resolve();
		},
	});
	t.deepEqual(done, ['worked', 'dismissed']);
	t.deepEqual(steps, ['workers', 'clean-up']);
	t.deepEqual(failures, []);
});

test('work that failed has no last step, and its workers are dismissed', async t => {
	let isDismissed = false;
	const {failures, steps} = await run({
		work: async () => Promise.reject(new Error('no work')),
		async dismiss() {
			isDismissed = true;
		},
		last: async () => t.fail(),
	});
	t.true(isDismissed);
	t.deepEqual(failures, ['Error: no work']);
	t.deepEqual(steps, ['workers', 'clean-up']);
});

test('whichever of both fails is told, and both where both do', async t => {
	const last = async () => Promise.reject(new Error('no end'));
	const dismiss = async () => Promise.reject(new Error('left'));
	t.deepEqual((await run({last})).failures, ['Error: no end']);
	t.deepEqual((await run({dismiss})).failures, ['Error: left']);
	const [both] = (await run({last, dismiss})).failures;
	t.is(both, 'AggregateError');
});
