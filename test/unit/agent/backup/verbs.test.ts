import test from 'ava';
import {createBackups} from '../../../../agent/backup/verbs.ts';
import {createRuns} from '../../../../agent/runs/runs.ts';
import {openState} from '../../../../agent/state/state.ts';
import {NotFoundError} from '../../../../base/errors.ts';
import {createEventHub} from '../../../../base/events.ts';
import {withoutWaiting} from '../../../support/doubles/faults.ts';
import {memoryWorkshop, plan} from '../../../support/doubles/workshop.ts';

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
