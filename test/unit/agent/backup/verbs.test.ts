import test, {type ExecutionContext} from 'ava';
import {createBackups} from '../../../../agent/backup/verbs.ts';
import {holdsManifest, type Marked, pointsOf} from '../../../../agent/repository/points.ts';
import type {Snapshot} from '../../../../agent/restic/restic.ts';
import {createRuns} from '../../../../agent/runs/runs.ts';
import {openState} from '../../../../agent/state/state.ts';
import {NotFoundError} from '../../../../base/errors.ts';
import {createEventHub} from '../../../../base/events.ts';
import {withoutWaiting} from '../../../support/doubles/faults.ts';
import {fill, manifestFolder, memoryWorkshop, plan} from '../../../support/doubles/workshop.ts';

type Parts = Parameters<typeof createBackups>[0];

/** An agent whose engine answers with these errors first, and whose repository is away. */
function scene(t: {teardown: (end: () => void) => void}, errors: Error[]) {
	const state = openState(':memory:');
	t.teardown(state.close);
	const runs = createRuns({state, hub: createEventHub(() => {}), concurrency: 2});
	const target = {name: plan.target, project: 'shop', members: [], policy: {}, problems: []};
	const survey = {
		async one() {
			const error = errors.shift();
			if (error !== undefined) {
				throw error;
			}

			return {target, plan, problems: []};
		},
	};
	const open = async () => {
		throw new Error('the repository is away');
	};
	const backups = createBackups({
		workshop: memoryWorkshop('').workshop,
		survey: survey as unknown as Parts['survey'],
		runs,
		state,
		repositories: {primary: {open, doubt() {}, repository: {location: '/repository'}}} as unknown as Parts['repositories'],
		upkeep: {} as Parts['upkeep'],
		notices: {send() {}},
	});
	return {backups, state};
}

const away = () => new Error('connect ECONNREFUSED /var/run/docker.sock');

test.serial('a backup that is due while the engine does not answer is a run: it waits for it', async t => {
	const {backups, state} = scene(t, [away(), away(), away()]);
	const {finished} = await backups.backup(plan.target, 'schedule');
	const {outcome, error} = await withoutWaiting(async () => finished);
	t.deepEqual([outcome, error], ['failed', 'the repository is away']);
	t.is(state.runs({target: plan.target}).length, 1);
});

test.serial('… and fails, where it does not answer for long: that is told like any other failure', async t => {
	const {backups} = scene(t, Array.from({length: 1000}, away));
	await withoutWaiting(async () => {
		const {outcome, error = ''} = await (await backups.backup(plan.target, 'schedule:cold', {cold: true})).finished;
		t.is(outcome, 'failed');
		t.regex(error, /ECONNREFUSED/);
	});
});

test.serial('a person is told at once; and so is whoever asks for what is not there', async t => {
	const {backups, state} = scene(t, [away(), new NotFoundError('there is no target')]);
	await t.throwsAsync(backups.backup(plan.target, 'cli'), {message: /ECONNREFUSED/});
	await t.throwsAsync(backups.backup(plan.target, 'schedule'), {instanceOf: NotFoundError});
	t.is(state.runs().length, 0);
});

/** A backup of the whole plan. @param storingMs how long it takes from the moment to the manifest @returns what was listed, in turn, and what is tidied */
async function tidying(t: ExecutionContext, storingMs: number) {
	const state = openState(':memory:');
	t.teardown(state.close);
	const runs = createRuns({state, hub: createEventHub(() => {}), concurrency: 2});
	const {workshop, disk, repository} = memoryWorkshop(await manifestFolder(t));
	fill(disk, 'first');
	const restic = workshop.restic();
	const {now} = Date;
	t.teardown(() => {
		Date.now = now;
	});
	const lists: Array<readonly Snapshot[]> = [];
	const listing: typeof restic = {
		...restic,
		async snapshots(...asked) {
			const list = await restic.snapshots(...asked);
			if (lists.push(list) === 2) {
				Date.now = () => now() + storingMs;
			}

			return list;
		},
	};
	const tidied: Array<readonly Marked[]> = [];
	const upkeep = {
		inspect: () => undefined,
		async tidy(_: unknown, {snapshots}: {snapshots: Promise<readonly Marked[]>}) {
			tidied.push(await snapshots);
		},
	};
	const target = {name: plan.target, project: 'shop', members: [], policy: {}, problems: []};
	const backups = createBackups({
		workshop: {...workshop, restic: () => listing},
		survey: {one: async () => ({target, plan, problems: []})} as unknown as Parts['survey'],
		runs,
		state,
		repositories: {
			primary: {open: async () => {}, access: () => 'full', doubt() {}, name: 'primary', repository: {location: '/backups'}},
		} as unknown as Parts['repositories'],
		upkeep: upkeep as unknown as Parts['upkeep'],
		notices: {send() {}},
	});
	const {finished} = await backups.backup(plan.target, 'cli');
	const {outcome, error, point} = await withoutWaiting(async () => finished);
	t.is(outcome, 'success', error);
	const [snapshots = []] = tidied;
	const marks = ({id, host, bytes, time}: Marked) => ({id, host, bytes, time});
	const byId = (one: {id: string}, other: {id: string}) => (one.id < other.id ? -1 : 1);
	t.deepEqual(snapshots.map(marks).sort(byId), repository.snapshots.map(marks).sort(byId), 'all that is there');
	t.deepEqual(pointsOf(snapshots), pointsOf(repository.snapshots));
	t.is(pointsOf(snapshots)[0]?.id, point ?? undefined);
	return lists;
}

test.serial('what is there beside a point is listed while it is stored, and tidied together with it', async t => {
	const lists = await tidying(t, 0);
	t.is(lists.length, 2, 'at its start, and after the moment');
	t.false(lists[1]?.some(holdsManifest));
});

test.serial('… but listed once more where storing took its time: others may have been there meanwhile', async t => {
	const lists = await tidying(t, 60_000);
	t.is(lists.length, 3);
	t.true(lists[2]?.some(holdsManifest));
});
