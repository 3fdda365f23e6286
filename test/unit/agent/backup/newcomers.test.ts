import test from 'ava';
import {watchNewcomers} from '../../../../agent/backup/newcomers.ts';
import type {Plan} from '../../../../agent/plan/planned.ts';
import type {Container, Mount} from '../../../../docker/container.ts';
import type {Engine} from '../../../../docker/engine.ts';

const volume = (name: string, more: Partial<Mount> = {}): Mount => ({
	type: 'volume',
	volume: name,
	hostPath: `/volumes/${name}`,
	path: '/data',
	readWrite: true,
	...more,
});

const container = (name: string, mounts: Mount[], more: Partial<Container> = {}): Container =>
	({id: name, name, state: 'running', labels: {}, mounts, ...more}) as Container;

const app = container('app-1', [volume('data')]);

const plan = (more: Partial<Plan> = {}) =>
	({
		sources: [{kind: 'volume', name: 'volume:/data', container: app, mount: volume('data')}],
		quiesce: [{container: app, action: 'pause', reason: ''}],
		resting: [],
		...more,
	}) as unknown as Plan;

/** @param came who is there at the end of the window, beside who was there before */
async function verdict(came: Container[], {before = [app], of = plan()}: {before?: Container[]; of?: Plan} = {}): Promise<string> {
	let now = before;
	const engine = {list: async () => now} as unknown as Engine;
	const assertAlone = await watchNewcomers(engine, of);
	now = [...before.filter(({name}) => !came.some(other => other.name === name)), ...came];
	return assertAlone().then(
		() => 'alone',
		(error: Error) => error.message,
	);
}

test('who comes to what is read, and may write it, is named', async t => {
	t.is(await verdict([]), 'alone');
	t.regex(
		await verdict([container('app-2', [volume('data')])]),
		/^container `app-2`, which writes to the volume "data", was started while/,
	);
	const job = container('job', [volume('data')], {state: 'exited'});
	t.regex(await verdict([{...job, state: 'running'}], {before: [app, job]}), /`job`/);
	const bind = container('job', [{type: 'bind', hostPath: '/volumes/data/sub', path: '/x', readWrite: true}]);
	t.regex(await verdict([bind]), /`job`/);
});

test('who only reads, has other storage, looks after all of it, is ours, or ended, is not', async t => {
	const comers: Container[] = [
		container('reader', [volume('data', {readWrite: false})]),
		container('other', [volume('another')]),
		container('host', [{type: 'bind', hostPath: '/', path: '/host', readWrite: true}]),
		container('worker', [volume('data')], {labels: {'holdfast.worker': 'run'}}),
		container('over', [volume('data')], {state: 'exited'}),
		// Its own exchange is seen by who has quiesced it.
		container('app-1', [volume('data')], {id: 'new'}),
	];
	for (const comer of comers) {
		t.is(await verdict([comer]), 'alone', comer.name);
	}

	const outside = container('outside', [volume('data')]);
	t.is(await verdict([outside], {before: [app, outside]}), 'alone', 'the plan has told of it');
});

test('where nobody stands still for files nothing is asked', async t => {
	const comer = container('app-2', [volume('data')]);
	t.is(await verdict([comer], {of: plan({quiesce: []})}), 'alone');
	t.is(await verdict([comer], {of: plan({sources: []})}), 'alone');
});

test('another agent that restores what is read is named, before and while it is, whoever stands still; no other storage, and no worker that reads', async t => {
	const restoring = (name: string, more: Partial<Container> = {}) =>
		container('holdfast-repository-r1', [volume(name, {path: '/other'})], {
			labels: {'holdfast.worker': 'r1', 'holdfast.writes': '["/shop/db","/other"]'},
			...more,
		});
	const named = /^another agent of this engine restores the volume "data" \(its run r1, container `holdfast-repository-r1`\)/;
	t.regex(await verdict([restoring('data')]), named);
	t.regex(await verdict([restoring('data')], {of: plan({quiesce: []})}), named);
	t.regex((await t.throwsAsync(verdict([], {before: [app, restoring('data')]})))?.message ?? '', named);
	t.is(await verdict([restoring('another')]), 'alone');
	t.is(await verdict([restoring('data', {state: 'exited'})]), 'alone');
	t.is(await verdict([restoring('data', {labels: {'holdfast.worker': 'r1'}})]), 'alone');
	// It may write there, as to the repository of its agent, but nothing that its target has is there.
	t.is(await verdict([restoring('data', {labels: {'holdfast.worker': 'r1', 'holdfast.writes': '["/shop/other"]'}})]), 'alone');
	t.is(await verdict([restoring('data', {mounts: [volume('data', {path: '/other', readWrite: false})]})]), 'alone');
});
