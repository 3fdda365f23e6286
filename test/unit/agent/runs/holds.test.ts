import {setImmediate} from 'node:timers/promises';
import test from 'ava';
import {createHolds, type Touched} from '../../../../agent/runs/holds.ts';

const {signal} = new AbortController();
const alone = (container: string): Touched => ({container, alone: true});
const volume = (name: string, isAlone: boolean): Touched => ({
	mount: {type: 'volume', volume: name, hostPath: `/volumes/${name}`, path: '/data', readWrite: true},
	alone: isAlone,
});

test('who wants what another has waits for it, in the order of asking, and says for whom', async t => {
	const holds = createHolds();
	const waits: string[] = [];
	const take = async (run: string, ...touched: Touched[]) => {
		const hasWaited = await holds.take(run, touched, {signal, onWait: other => waits.push(`${run} for ${other}`)});
		waits.push(`${run} has it`);
		return hasWaited;
	};
	t.false(await take('a', alone('app'), volume('data', false)));
	t.false(await take('b', alone('db'), volume('data', false)), 'two may read');
	const restore = take('c', volume('data', true));
	const later = take('d', volume('data', false));
	t.is(holds.holder([volume('data', false)]), 'c');
	await setImmediate();
	holds.release('b');
	await setImmediate();
	holds.release('a');
	t.true(await restore);
	t.deepEqual(waits, ['a has it', 'b has it', 'c for a', 'd for c', 'c has it']);
	holds.release('c');
	t.true(await later);
});

test('who asks again keeps what covers it, and gives all back before it asks for more', async t => {
	const holds = createHolds();
	const onWait = () => t.fail();
	await holds.take('a', [alone('app'), volume('data', true)], {signal, onWait});
	t.false(await holds.take('a', [{container: 'app', alone: false}, volume('data', false)], {signal, onWait}));
	const waiting = holds.take('b', [alone('app')], {signal, onWait() {}});
	const more = holds.take('a', [alone('app'), alone('web')], {signal, onWait() {}});
	t.true(await waiting);
	holds.release('b');
	t.true(await more);
});

test('one folder under two names is one thing in hand', async t => {
	const holds = createHolds();
	const folder = {in: 'host', path: '/srv/data'};
	const bound: Touched = {
		mount: {type: 'volume', volume: 'bound', hostPath: '/volumes/bound', path: '/data', readWrite: true, folders: [folder]},
		alone: true,
	};
	await holds.take('a', [bound], {signal, onWait() {}});
	const bind: Touched = {mount: {type: 'bind', hostPath: '/srv/data', path: '/w', readWrite: true}, alone: false};
	t.is(holds.holder([bind]), 'a');
	const below: Touched = {mount: {type: 'bind', hostPath: '/srv/data/sub', path: '/w', readWrite: true}, alone: false};
	t.is(holds.holder([below]), 'a');
	t.is(holds.holder([volume('data', true)]), undefined);
});

test('who is cancelled while it waits is out of the way', async t => {
	const holds = createHolds();
	const controller = new AbortController();
	await holds.take('a', [alone('app')], {signal, onWait() {}});
	const cancelled = holds.take('b', [alone('app'), alone('web')], {signal: controller.signal, onWait() {}});
	controller.abort(new Error('cancelled'));
	await t.throwsAsync(cancelled, {message: 'cancelled'});
	t.false(await holds.take('c', [alone('web')], {signal, onWait: () => t.fail()}));
});

test('who needs more keeps what it has, goes before all who wait, and takes nothing that another has', async t => {
	const holds = createHolds();
	const onWait = () => t.fail();
	await holds.take('a', [alone('app')], {signal, onWait});
	await holds.take('b', [alone('web')], {signal, onWait});
	const waits: string[] = [];
	const waiting = holds.take('c', [alone('web'), alone('cache')], {signal, onWait: other => waits.push(other)});
	t.is(holds.more('a', [alone('web')]), 'b');
	t.is(holds.more('a', [alone('cache')]), undefined, 'who waits has nothing yet');
	t.is(holds.holder([alone('app')]), 'a');
	t.is(holds.holder([alone('cache')]), 'a');
	holds.release('b');
	await setImmediate();
	t.deepEqual(waits, ['b', 'a']);
	holds.release('a');
	t.true(await waiting);
	t.is(holds.more('d', [alone('app')]), undefined);
	t.is(holds.holder([alone('app')]), 'd');
});
