import test from 'ava';
import {untilStale} from '../../../docker/stale.ts';

const away = async () => {
	throw new Error('connect ECONNREFUSED');
};

const address = 'unix:///var/run/docker.sock';

/** Whether it is stale before the time is over. */
const isStale = async (info: () => Promise<never>, linksOf: (path: string) => Promise<number>, at = address) =>
	untilStale({address: at, info}, {signal: AbortSignal.timeout(400), patience: 50, interval: 10, linksOf}).then(
		() => true,
		() => false,
	);

test('a socket that was removed, and that nobody answers at, is stale', async t => {
	t.true(await isStale(away, async path => (path === '/var/run/docker.sock' ? 0 : 1)));
});

test('an engine that is away for as long as it likes is not, nor one that answers, nor what is no file', async t => {
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
	t.false(await isStale(away, async () => 0, 'tcp://proxy:2375'));
});

test('what is stale for less than the patience is not', async t => {
	let looks = 0;
	const info = async () => (++looks % 2 === 0 ? ({} as never) : away());
	t.false(await isStale(info, async () => 0));
});

test('it ends with the signal', async t => {
	const ending = new AbortController();
	const waiting = untilStale({address, info: away}, {signal: ending.signal, linksOf: async () => 1});
	ending.abort(new Error('the end'));
	await t.throwsAsync(waiting);
});
