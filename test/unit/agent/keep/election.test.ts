import test from 'ava';
import fc from 'fast-check';
import {createElection, elect, inTurn} from '../../../../agent/keep/election.ts';
import {pointsOf} from '../../../../agent/repository/points.ts';
import {upkeptAmong, upkeptTags} from '../../../../agent/repository/upkept.ts';
import type {Lock, Snapshot} from '../../../../agent/restic/restic.ts';
import {memoryRepository} from '../../../support/doubles/memory-restic.ts';
import {manifestFolder} from '../../../support/doubles/workshop.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const weekMs = 7 * 24 * hourMs;
const start = Date.UTC(2026, 0, 4, 4, 30);

let count = 0;
const snapshot = (agent: string, at: number, tags: readonly string[]): Snapshot => ({
	id: `s${++count}`,
	tags: [...tags],
	tree: '',
	time: new Date(at),
	host: `host-of-${agent}`,
	paths: [],
	bytes: 1,
	addedBytes: 1,
});
const backup = (agent: string, at: number) => snapshot(agent, at, ['holdfast', `agent:${agent}`, `run:${agent}`, 'target:shop/db']);
const record = (agent: string, at: number) => snapshot(agent, at, upkeptTags({operation: 'prune', agent, readData: null}));
const lock = (agent: string, at: number): Lock => ({
	id: agent,
	hostname: agent,
	pid: 1,
	username: 'root',
	exclusive: true,
	time: new Date(at),
});

const asked = (agent: string, since: number) =>
	({agent, operation: 'prune', since, intervalMs: weekMs, isOwn: ({hostname}: Lock) => hostname === agent}) as const;

test('alone, it is done at once; what another did is not done again, and one’s own record keeps nobody from anything', t => {
	const alone = {snapshots: [backup('a', start - hourMs), record('a', start - hourMs)], locks: []};
	t.deepEqual(elect(alone, asked('a', start), start), {is: 'ours', isShared: false});
	const shared = {snapshots: [...alone.snapshots, backup('b', start - hourMs)], locks: []};
	t.deepEqual(elect(shared, asked('a', start), start), {is: 'ours', isShared: true}, 'it did it last, so it goes first');
	const verdict = elect(shared, asked('b', start), start);
	t.is(verdict.is === 'done' ? verdict.by.agent : verdict.is, 'a');
	t.is(elect(shared, asked('b', start + weekMs), start + weekMs).is, 'wait', 'a week later it is due again, and the other goes first');
	const late = start + weekMs + 20 * minuteMs;
	t.is(elect(shared, asked('b', start + weekMs), late).is, 'ours', 'but not for ever');
});

test('who filed nothing for two intervals is no other; nor is a clock that is far ahead', t => {
	const long = {snapshots: [backup('b', start - 3 * weekMs), backup('a', start)], locks: []};
	t.deepEqual(elect(long, asked('a', start), start), {is: 'ours', isShared: false});
	const ahead = {snapshots: [record('b', start + weekMs), backup('b', start)], locks: []};
	t.not(elect(ahead, asked('a', start), start).is, 'done');
});

test('another at work is waited for, while its lock is refreshed, and not longer than allowed', t => {
	const seen = (lockedAt: number, by = 'b') => ({
		snapshots: [record('a', start - weekMs), backup('b', start)],
		locks: [lock(by, lockedAt)],
	});
	const now = start + hourMs;
	t.deepEqual(elect(seen(now), asked('a', start), now), {is: 'wait', until: now + minuteMs});
	t.is(elect(seen(now, 'a'), asked('a', start), now).is, 'ours', 'one’s own');
	t.is(elect(seen(now - 32 * minuteMs), asked('a', start), now).is, 'ours', 'of the dead');
	t.is(elect(seen(start + 50 * hourMs), asked('a', start), start + 50 * hourMs).is, 'ours');
	const shared = {...seen(now), locks: [{...lock('b', now), exclusive: false}]};
	t.is(elect(shared, asked('a', start), now).is, 'ours', 'a backup');
});

interface World {
	agents: number;
	seed: number[];
	/** By interval: which agent dies, and at which share of the two hours after it is due. */
	deaths: Array<{agent: number; at: number}>;
}

/** Weeks of agents that share a repository, on a clock of their own, in an order that the seed says. */
function live({agents, seed, deaths}: World) {
	let draws = 0;
	const random = (below: number) => ((seed[draws++ % seed.length] ?? 0) * 7919 * (draws + 1)) % below;
	const names = Array.from({length: agents}, (_, index) => `agent-${index}`);
	const dead = new Map<string, number>();
	const snapshots: Snapshot[] = names.map(name => backup(name, start - hourMs));
	const done: Array<{agent: string; at: number; week: number}> = [];
	let locked: {agent: string; from: number; until: number} | undefined;
	const events: Array<{at: number; agent: string; does: 'look' | 'begin' | 'end'; since: number}> = [];
	const plan = (event: (typeof events)[number]) => {
		events.push(event);
		events.sort((a, b) => a.at - b.at);
	};

	const weeks = deaths.length + 1;
	for (let week = 0; week < weeks; week++) {
		const since = start + week * weekMs;
		for (const agent of names) {
			snapshots.push(backup(agent, since - hourMs));
			const at = since + random(3000);
			plan({at, agent, does: 'look', since: at});
		}

		const death = deaths[week];
		const name = names[(death?.agent ?? 0) % agents] as string;
		if (death !== undefined && dead.size < agents - 1 && !dead.has(name)) {
			dead.set(name, since + death.at * 2 * hourMs);
		}
	}

	for (let event = events.shift(); event !== undefined; event = events.shift()) {
		const {at, agent, does, since} = event;
		if (at >= (dead.get(agent) ?? Number.POSITIVE_INFINITY)) {
			continue;
		}

		if (locked !== undefined && at >= locked.until) {
			locked = undefined;
		}

		if (does === 'look') {
			const locks = locked === undefined ? [] : [lock(locked.agent, Math.max(locked.from, at - random(5 * minuteMs)))];
			const verdict = elect({snapshots, locks}, asked(agent, since), at);
			if (verdict.is === 'ours') {
				plan({at: at + 1000 + random(4000), agent, does: 'begin', since});
			} else if (verdict.is === 'wait') {
				plan({at: verdict.until + random(2000), agent, does: 'look', since});
			}
		} else if (does === 'begin') {
			// Restic waits for the lock for ten minutes; who got none looks again.
			if (locked !== undefined) {
				plan({
					at: Math.min(locked.until, at + 10 * minuteMs) + random(5000),
					agent,
					does: locked.until - at < 10 * minuteMs ? 'begin' : 'look',
					since,
				});
				continue;
			}

			const end = at + minuteMs + random(90 * minuteMs);
			const dies = dead.get(agent) ?? Number.POSITIVE_INFINITY;
			// What the dead left is removed when its agent starts again, or by a person.
			locked = {agent, from: at, until: dies < end ? dies + 31 * minuteMs : end};
			plan({at: end, agent, does: 'end', since});
		} else {
			const older = upkeptAmong(snapshots, 'prune').filter(each => each.agent === agent);
			snapshots.push(record(agent, at));
			for (const {snapshot: id} of older) {
				snapshots.splice(
					snapshots.findIndex(each => each.id === id),
					1,
				);
			}

			done.push({agent, at, week: Math.floor((at - start) / weekMs)});
		}
	}

	return {weeks, done, dead, snapshots, names};
}

const worlds = fc.record({
	agents: fc.integer({min: 2, max: 12}),
	seed: fc.array(fc.nat(1_000_003), {minLength: 7, maxLength: 40}),
	deaths: fc.array(fc.record({agent: fc.nat(11), at: fc.double({min: 0, max: 1, noNaN: true})}), {minLength: 2, maxLength: 6}),
});

test('whoever dies when, it is done each time, by one where the elected lives, and never twice at once', t => {
	fc.assert(
		fc.property(worlds, world => {
			const {weeks, done, dead, snapshots, names} = live(world);
			for (let week = 0; week < weeks; week++) {
				const inWeek = done.filter(each => each.week === week);
				t.true(inWeek.length > 0, `week ${week}: nobody did it`);
				const elected = done.filter(each => each.week < week).at(-1)?.agent;
				if (elected !== undefined && (dead.get(elected) ?? Number.POSITIVE_INFINITY) > start + (week + 0.5) * weekMs) {
					t.deepEqual(
						inWeek.map(({agent}) => agent),
						[elected],
						`week ${week}: others did it, too`,
					);
				}
			}

			for (const [before, after] of done.slice(1).map((each, index) => [done[index], each] as const)) {
				t.true(after.at - (before?.at ?? 0) <= 1.25 * weekMs + hourMs, 'later than alerts allow');
			}

			for (const name of names) {
				t.true(upkeptAmong(snapshots, 'prune').filter(each => each.agent === name).length <= 1, 'one record each');
			}

			t.deepEqual(pointsOf(snapshots), [], 'no record is a point');
		}),
		{numRuns: 300},
	);
});

test('a hundred agents that begin in a repository where nobody did it yet', t => {
	const {done} = live({agents: 100, seed: [3, 14, 159, 2653, 58_979], deaths: [{agent: 7, at: 0.01}]});
	t.true(done.filter(({week}) => week === 0).length <= 5, 'some may begin at once the first time');
	t.is(done.filter(({week}) => week === 1).length, 1);
});

const yes = () => ({add: true, remove: true});

async function scene(t: Parameters<typeof manifestFolder>[0] & {context: unknown}, may: () => {add: boolean; remove: boolean} = yes) {
	const repository = memoryRepository('primary', new Map());
	const folder = await manifestFolder(t);
	let now = start;
	const file = async (agent: string) =>
		repository.restic.backupStream({
			filename: '/x',
			command: ['cat', '/dev/null'],
			tags: ['holdfast', `agent:${agent}`, 'run:1'],
			time: new Date(now),
			host: 'h',
		});
	const of = (agent: string) =>
		createElection({
			agent,
			host: `host-of-${agent}`,
			folder,
			looking: repository.restic,
			writing: repository.restic,
			intervalMs: () => weekMs,
			isOwn: () => false,
			may,
			clock: {
				now: () => now,
				async sleep(ms) {
					now += ms;
				},
			},
		});
	return {of, file, records: () => upkeptAmong(repository.snapshots, 'check'), pass: (ms: number) => (now += ms)};
}

test('who did it is on record where there are others, newest only; the next one finds it, with what was read', async t => {
	const {of, file, records, pass} = await scene(t);
	await file('a');
	await of('a').record({operation: 'check', readData: '1/13'});
	t.deepEqual(records(), [], 'alone, nobody needs to know');
	await file('b');
	await of('a').record({operation: 'check', readData: '1/13'});
	pass(1000);
	await of('a').record({operation: 'check', readData: '2/13'});
	t.is(records().length, 1);
	t.like(records()[0], {agent: 'a', host: 'host-of-a', readData: '2/13', at: new Date(start + 1000)});
	t.like(await of('b').turn('check', start + 1000), {agent: 'a'});
	t.like(await of('b').newest('check', ({readData}) => readData !== null), {readData: '2/13'});
	t.is(await of('b').turn('prune', start + 1000), undefined, 'nobody did this one');
	pass(weekMs);
	t.is(await of('b').turn('check', start + weekMs + 1000), undefined, 'after a head start for the other');
	await of('b').record({operation: 'check', readData: '3/13'});
	t.deepEqual(
		records().map(({agent}) => agent),
		['b', 'a'],
		'nobody removes what another filed',
	);
});

test('where nothing may be removed, or written, that is heeded', async t => {
	const full = await scene(t);
	await full.file('a');
	await full.file('b');
	for (const [may, expected] of [
		[{add: true, remove: false}, 2],
		[{add: false, remove: false}, 0],
	] as const) {
		const {of, file, records} = await scene(t, () => may);
		await file('a');
		await file('b');
		await of('a').record({operation: 'check', readData: null});
		await of('a').record({operation: 'check', readData: null});
		t.is(records().length, expected);
	}
});

test('two that begin at once: who finds the repository taken looks again, and takes what the other did', async t => {
	const by = {operation: 'prune', agent: 'b', host: 'h', at: new Date(start), readData: null, snapshot: 's'} as const;
	const run = async (turns: Array<typeof by | undefined | Error>, failures: Array<{isLocked: boolean} | undefined>) => {
		let [looks, works] = [0, 0];
		const turn = async () => {
			const answer = turns[looks++];
			if (answer instanceof Error) {
				throw answer;
			}

			return answer;
		};
		return {...(await inTurn(turn, async () => failures[works++])), looks, works};
	};
	const locked = {isLocked: true};
	t.like(await run([by], []), {by, works: 0});
	t.like(await run([undefined, by], [locked]), {by, works: 1});
	t.like(await run([undefined, undefined], [locked, undefined]), {by: undefined, failure: undefined, works: 2});
	t.like(
		await run([undefined], [{isLocked: false}]),
		{failure: {isLocked: false}, looks: 1, works: 1},
		'damage is not made good by another’s success',
	);
	t.like(await run([new Error('away')], [undefined]), {by: undefined, works: 1});
	t.like(await inTurn(undefined, async () => locked), {failure: locked});
});
