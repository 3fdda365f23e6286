/** What an agent that was killed left in its journal, on a real engine: how long who runs is watched, and what is said of who is down. Lane: rests. */
import {randomBytes} from 'node:crypto';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import {explain} from '../../../base/errors.ts';
import {connectEngine} from '../../../docker/engine.ts';
import type {Journal, JournalEntry, Undo} from '../../../docker/resume.ts';
import {undoUnfinished} from '../../../docker/unfinished.ts';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {until} from '../../support/until.ts';

const engine = connectEngine('unix:///var/run/docker.sock');

/** One that has ten minutes to end, and takes them. */
async function scene(t: ExecutionContext, kind: 'start' | 'unpause') {
	t.timeout(3 * 60_000);
	const name = `hf-test-unfinished-${randomBytes(4).toString('hex')}`;
	t.teardown(async () => docker(['rm', '--force', name]));
	const image = await ensureImage('holdfast-test/app:latest');
	const id = await docker(['run', '--detach', '--name', name, '--stop-timeout', '600', image, 'ignore-sigterm']);
	const undo: Undo =
		kind === 'start' ? {kind, containerId: id, containerName: name, at: Date.now()} : {kind, containerId: id, containerName: name};
	let entries: JournalEntry[] = [{id: 1, run: 'run', undo}];
	const journal: Journal = {
		record: () => 0,
		clear(cleared) {
			entries = entries.filter(entry => entry.id !== cleared);
		},
		open: () => entries,
	};
	const state = async () => docker(['inspect', '--format', '{{.State.Status}}', name]);
	const recover = async () => undoUnfinished({engine, journal, isWanted: () => true, signal: new AbortController().signal});
	return {name, journal, state, recover};
}

test('one that nobody has asked to end is not watched for all the time that it would have', async t => {
	const {recover, state} = await scene(t, 'start');
	const begun = performance.now();
	t.deepEqual(await recover(), {undone: [], failures: [], removed: [], open: 0});
	const seconds = (performance.now() - begun) / 1000;
	t.log(`${seconds.toFixed(1)} s`);
	t.true(seconds < 60, `of its 600 s: ${seconds}`);
	t.is(await state(), 'running');
});

test('nor is one that was started again since', async t => {
	const {name, recover, state} = await scene(t, 'start');
	await docker(['restart', '--time', '0', name]);
	t.deepEqual(await recover(), {undone: [], failures: [], removed: [], open: 0});
	t.is(await state(), 'running');
});

test('one that is about to end is started again when it has', async t => {
	const {name, journal, recover, state} = await scene(t, 'start');
	const stopping = execa('docker', ['stop', '--time', '600', name]);
	const signalled = Date.now() - 60_000;
	const id = await docker(['inspect', '--format', '{{.Id}}', name]);
	await until('it to be asked', async () => (await engine.signalled(id, signalled)) === true);
	const recovering = recover();
	const later = Date.now() + 12_000;
	await until('it to be watched for longer than one that nobody asked', () => Date.now() > later);
	t.is(journal.open().length, 1);
	await docker(['kill', name]);
	await stopping;
	t.deepEqual((await recovering).undone, [name]);
	t.is(await state(), 'running');
});

test('one that was paused and has ended is left so, and told', async t => {
	const {name, recover, state} = await scene(t, 'unpause');
	await docker(['pause', name]);
	await docker(['kill', name]);
	await until('it to have ended', async () => (await state()) === 'exited');
	const {undone, failures, open} = await recover();
	t.deepEqual([undone, open], [[], 0]);
	t.is(failures.length, 1);
	t.regex(
		explain(failures[0]?.error),
		new RegExp(`container \`${name}\` was paused for a run, and has ended since \\(exit code 137\\): it is down .*docker start ${name}`),
	);
	t.is(await state(), 'exited');
});
