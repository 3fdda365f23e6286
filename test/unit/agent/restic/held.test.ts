import test from 'ava';
import {held} from '../../../../agent/restic/held.ts';
import type {Hold} from '../../../../agent/restic/hold.ts';

/** A backup that waits when it is told to, and is let go, refused or killed. */
function scene(signal = new AbortController().signal) {
	const seen: string[] = [];
	const begun = Promise.withResolvers<Hold>();
	const waits = Promise.withResolvers<void>();
	const fate = Promise.withResolvers<never>();
	const backup = held(
		async ({hold, signal: killed}) => {
			killed.throwIfAborted();
			begun.resolve(hold);
			const death = new Promise<never>((_, reject) => {
				killed.addEventListener('abort', () => {
					seen.push('killed');
					reject(killed.reason);
				});
			});
			const letGo = waits.promise.then(async () =>
				hold.go.catch(error => {
					seen.push('refused');
					throw error;
				}),
			);
			await Promise.race([letGo, death, fate.promise]);
			seen.push('let go');
			return Promise.race([new Promise<string>(resolve => setImmediate(() => resolve('stored'))), death]);
		},
		signal,
		100,
	);
	return {
		seen,
		backup,
		async wait() {
			(await begun.promise).held();
			waits.resolve();
		},
		async die(reason: Error) {
			fate.reject(reason);
			await backup.stop(reason);
		},
	};
}

test('one that waits is let go, and gives what it stored', async t => {
	const {seen, backup, wait} = scene();
	await wait();
	await backup.waiting;
	t.is(await backup.go(), 'stored');
	t.deepEqual(seen, ['let go']);
	await backup.stop(new Error('too late'));
});

test('one that died while it waited is over', async t => {
	const {backup, wait, die} = scene();
	await wait();
	await backup.waiting;
	t.false(backup.isOver());
	await die(new Error('killed'));
	t.true(backup.isOver());
	await t.throwsAsync(backup.go(), {message: 'killed'});
	await t.notThrowsAsync(backup.waiting, 'it did wait');
});

test('one that waits, or will, is refused, so that it takes its lock with it; any other is killed; either way that is why', async t => {
	const reason = new Error('not now');
	const waiting = scene();
	await waiting.wait();
	await waiting.backup.stop(reason);
	t.deepEqual(waiting.seen, ['refused']);
	t.is(await t.throwsAsync(waiting.backup.go()), reason);

	const starting = scene();
	const stopping = starting.backup.stop(reason);
	await starting.wait();
	await stopping;
	t.deepEqual(starting.seen, ['refused']);

	const shutOut = scene();
	await shutOut.backup.stop(reason);
	t.deepEqual(shutOut.seen, ['killed']);
	t.is(await t.throwsAsync(shutOut.backup.waiting), reason);

	const working = scene();
	await working.wait();
	const going = working.backup.go();
	await working.backup.stop(reason);
	t.is(await t.throwsAsync(going), reason);
	t.true(working.seen.includes('killed'));
});

test('a cancel stops it, also one that came before', async t => {
	const controller = new AbortController();
	const reason = new Error('cancelled');
	const {seen, backup, wait} = scene(controller.signal);
	await wait();
	controller.abort(reason);
	t.is(await t.throwsAsync(backup.go()), reason);
	t.deepEqual(seen, ['refused']);

	t.is(await t.throwsAsync(scene(controller.signal).backup.waiting), reason);
});
