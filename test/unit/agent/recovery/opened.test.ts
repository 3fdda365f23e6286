import test from 'ava';
import {putRightOnceOpen} from '../../../../agent/recovery/opened.ts';
import type {Workshop} from '../../../../agent/runs/workshop.ts';
import {openState} from '../../../../agent/state/state.ts';
import {createEventHub} from '../../../../base/events.ts';

const log = {debug() {}, info() {}, warning() {}, error() {}};

/** What is asked of the repository, in order; `lost` was under way when the agent died. */
async function asked(t: {teardown: (end: () => void) => void}, ...interrupted: string[]) {
	const state = openState(':memory:');
	t.teardown(state.close);
	for (const run of interrupted) {
		state.insertRun({run, target: 'shop/app', operation: 'backup', trigger: 'schedule', queuedAt: 1});
	}

	const calls: string[] = [];
	const open = async () => {
		calls.push('open');
		return '0123456789abcdef';
	};
	const restic = (_: unknown, options: unknown) => ({
		async snapshots() {
			calls.push(`list ${JSON.stringify(options)}`);
			return [];
		},
	});
	const releaseLocks = async () => {
		calls.push(`release, while ${state.interruptedRuns().length} are open`);
		return {removed: [], left: []};
	};
	await putRightOnceOpen(
		{state, hub: createEventHub(() => {}), log, engine: {} as never},
		{
			repository: {open},
			workshop: {restic} as unknown as Workshop,
			sweeper: {releaseLocks},
			runs: {isUnderWay: () => false},
			signal: new AbortController().signal,
		},
	);
	return calls;
}

test('runs are ended without a lock, and before locks of the dead are removed', async t => {
	t.deepEqual(await asked(t, 'lost'), ['open', 'list {"withoutLock":true}', 'release, while 0 are open']);
});

test('where no run was interrupted nothing is listed', async t => {
	t.deepEqual(await asked(t), ['open', 'release, while 0 are open']);
});
