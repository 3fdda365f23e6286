import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import {untilStale} from '../../../docker/stale.ts';

const away = async () => {
	throw new Error('connect ECONNREFUSED');
};

const address = 'unix:///var/run/docker.sock';

/** Whether it is stale before the time is over. */
const isStale = async (info: () => Promise<never>, linksOf: (path: string) => Promise<number>) =>
	untilStale({address, info}, {signal: AbortSignal.timeout(400), patienceMs: 50, intervalMs: 10, linksOf}).then(
		() => true,
		() => false,
	);

test('a socket that was removed, and that nobody answers at, is stale', async t => {
	t.true(await isStale(away, async path => (path === '/var/run/docker.sock' ? 0 : 1)));
});

test('an engine that is away for as long as it likes is not, nor one that answers', async t => {
	t.false(await isStale(away, async () => 1), 'it is still there');
	t.false(
		await isStale(away, async () => {
			throw new Error('ENOENT');
		}),
		'its folder is mounted, and the next one will be there',
	);
	t.false(
		await isStale(
			async () => ({}) as never,
			async () => 0,
		),
		'somebody holds it',
	);
});

test('what is stale for less than the patience is not', async t => {
	let looks = 0;
	const info = async () => (++looks % 2 === 0 ? ({} as never) : away());
	t.false(await isStale(info, async () => 0));
});

test('what is no file is never stale: nobody is asked, and it ends with the signal all the same', async t => {
	let asked = 0;
	const count = async () => {
		asked++;
		return away();
	};
	const ending = new AbortController();
	const waiting = untilStale(
		{address: 'tcp://proxy:2375', info: count},
		{signal: ending.signal, patienceMs: 0, intervalMs: 1, linksOf: count},
	);
	await delay(20);
	ending.abort(new Error('the end'));
	await t.throwsAsync(waiting, {message: 'the end'});
	t.is(asked, 0);
});

test('it ends with the signal', async t => {
	const ending = new AbortController();
	const waiting = untilStale({address, info: away}, {signal: ending.signal, linksOf: async () => 1});
	ending.abort(new Error('the end'));
	await t.throwsAsync(waiting);
});
