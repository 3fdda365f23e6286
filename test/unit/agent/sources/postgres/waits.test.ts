import test from 'ava';
import {assertNoLongWait, type Blocker, describeBlocker} from '../../../../../agent/sources/postgres/waits.ts';

const blocker: Blocker = {
	pid: 4711,
	user: 'app',
	application: 'migrate',
	state: 'idle in transaction',
	since: '2026-11-25 03:00:01 UTC',
	what: 'public.orders',
	prepared: null,
};

test('who is in the way, for people: a session, one that hides itself, a prepared transaction', t => {
	t.is(
		describeBlocker(blocker),
		'session 4711 (user app, application migrate, idle in transaction, in its transaction since 2026-11-25 03:00:01 UTC) has a lock on public.orders',
	);
	t.is(
		describeBlocker({...blocker, application: 'x\u001b[2J', state: null, since: null, what: null}),
		'session 4711 (user app, application x\\x1b[2J, unknown, in its transaction since unknown)',
	);
	t.is(describeBlocker({...blocker, pid: 0, prepared: ['stuck']}), 'the prepared transaction `stuck` has a lock on public.orders');
});

test('a wait has an end, counted from where it began; one that ends before is none', async t => {
	let now = 0;
	const answers = [[blocker], [], [blocker], [blocker], [blocker]];
	const seen: number[] = [];
	const watching = assertNoLongWait(
		{
			async ask() {
				now += 30;
				return answers.shift() ?? [];
			},
			limitMs: 50,
			signal: new AbortController().signal,
			now: () => now,
		},
		blockers => seen.push(blockers.length),
	);
	await t.throwsAsync(watching, {message: `a lock was waited for longer than 0.05 s: ${describeBlocker(blocker)}`});
	t.deepEqual(seen, [1, 0, 1, 1, 1]);
});

test('it ends without a word when what it watches has ended', async t => {
	const end = new AbortController();
	const watching = assertNoLongWait({ask: async () => [blocker], limitMs: 60_000, signal: end.signal}, () => {});
	end.abort();
	await t.notThrowsAsync(watching);
});
