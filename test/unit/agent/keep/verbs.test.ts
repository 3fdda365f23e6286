import test from 'ava';
import {neededPoints} from '../../../../agent/keep/knowledge.ts';
import {createUpkeep, nextPart} from '../../../../agent/keep/verbs.ts';
import {createRuns} from '../../../../agent/runs/runs.ts';
import type {RestoreRecord} from '../../../../agent/state/restores.ts';
import {openState} from '../../../../agent/state/state.ts';
import {createEventHub} from '../../../../base/events.ts';
import {memoryWorkshop} from '../../../support/doubles/workshop.ts';

test('the parts of the data are read in turn', t => {
	t.is(nextPart(undefined, 13), '1/13');
	t.is(nextPart({readData: '1/13'}, 13), '2/13');
	t.is(nextPart({readData: '13/13'}, 13), '1/13');
	t.is(nextPart({readData: '3/4'}, 13), '1/13', 'other parts than before');
	t.is(nextPart({readData: '1/1'}, 1), '1/1');
});

const restored = (target: string, point: string): RestoreRecord => ({
	run: 'r1',
	target,
	point,
	phase: 'swapped',
	replacements: [],
	swappedAt: 1,
	ran: [],
	settledBy: null,
	unjudged: [],
	keptIn: 'primary',
});

test('what a restore has used stays as long as it may be undone, that of a whole project too', t => {
	const knowing = (...records: RestoreRecord[]) => ({restores: () => records, runs: () => []});
	const needed = (target: string, ...records: RestoreRecord[]) => [...neededPoints(knowing(...records), target, []).keys()];
	t.deepEqual(needed('shop/db', restored('shop/db', 'a')), ['a']);
	t.deepEqual(needed('shop/db', restored('shop', 'a,b')), ['a', 'b']);
});

test('a prune or a check that is due while the repository is away is a run that fails; a person is told at once', async t => {
	const state = openState(':memory:');
	t.teardown(state.close);
	const away = async (): Promise<never> => {
		throw new Error('the repository is away');
	};
	const parts = {
		workshop: memoryWorkshop('').workshop,
		state,
		runs: createRuns({state, hub: createEventHub(() => {}), concurrency: 2}),
		door: {open: away, access: () => 'full'},
		sweeper: {releaseLocks: away},
		election: {turn: away, newest: away, record: away},
		repository: {name: 'primary', cacheDirectory: '/cache'},
		checkParts: 13,
	};
	const upkeep = createUpkeep(parts as unknown as Parameters<typeof createUpkeep>[0]);
	const ends = [await upkeep.prune('schedule'), await upkeep.check('next', 'schedule')];
	for (const {finished} of ends) {
		const {outcome, error = ''} = await finished;
		t.is(outcome, 'failed');
		t.regex(error, /^the repository is away/);
	}

	await t.throwsAsync(upkeep.prune('cli'), {message: /is away/});
	await t.throwsAsync(upkeep.check(null, 'cli'), {message: /is away/});
	t.is(state.runs().length, 2);
});

test('sizes are accepted up to what was made until now: not for all that is made until a clock that was ahead is reached', async t => {
	const state = openState(':memory:');
	t.teardown(state.close);
	const now = Date.now();
	const made = (run: string, hours: number) => {
		const tags = ['holdfast', `run:${run}`, 'target:app/db'];
		const bare = {time: new Date(now + hours * 3_600_000), tree: '', host: 'h', paths: [], bytes: 10, addedBytes: 1};
		return [
			{...bare, id: `${run}m`, tags: [...tags, 'manifest:1']},
			{...bare, id: `${run}s`, tags: [...tags, 'source:volume:/data']},
		];
	};
	const {workshop} = memoryWorkshop('');
	const restic = {...workshop.restic(), snapshots: async () => [...made('ahead', 9000), ...made('new', -1), ...made('old', -25)]};
	const parts = {
		workshop: {...workshop, restic: () => restic},
		state,
		door: {open: async () => {}, access: () => 'full'},
		repository: {name: 'primary', cacheDirectory: '/cache'},
	};
	const upkeep = createUpkeep(parts as unknown as Parameters<typeof createUpkeep>[0]);
	t.deepEqual(await upkeep.acceptSizes('app/db'), {target: 'app/db', point: 'new'});
	t.is(state.acceptedUpTo('app/db')?.getTime(), now - 3_600_000);
});
