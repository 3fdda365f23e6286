import test from 'ava';
import {createDrills} from '../../../../agent/drill/verbs.ts';
import {createRuns} from '../../../../agent/runs/runs.ts';
import {openState} from '../../../../agent/state/state.ts';
import {createEventHub} from '../../../../base/events.ts';
import {memoryWorkshop} from '../../../support/doubles/workshop.ts';

test('a drill that is due while the repository, or its target, is away is a run that fails; a person is told at once', async t => {
	const state = openState(':memory:');
	t.teardown(state.close);
	const {workshop} = memoryWorkshop('');
	const primary = {
		name: 'primary',
		restic: workshop.restic,
		async open(): Promise<never> {
			throw new Error('the repository is away');
		},
	};
	const parts = {
		workshop,
		survey: {
			async one(target: string) {
				if (target === 'shop/gone') {
					throw new Error('the engine is away');
				}

				return {target: {name: target}};
			},
		},
		runs: createRuns({state, hub: createEventHub(() => {}), concurrency: 2}),
		repositories: {primary, named: () => primary},
	};
	const drills = createDrills(parts as unknown as Parameters<typeof createDrills>[0]);
	for (const [target, why] of [
		['shop/db', /^the repository is away/],
		['shop/gone', /^the engine is away/],
	] as const) {
		const {finished} = await drills.drill({target, point: 'latest', trigger: 'schedule'});
		const {outcome, error = ''} = await finished;
		t.is(outcome, 'failed');
		t.regex(error, why);
		t.like(state.runs({target, operation: 'drill'})[0], {outcome: 'failed', trigger: 'schedule'});
	}

	await t.throwsAsync(drills.drill({target: 'shop/db', point: 'latest', trigger: 'cli'}), {message: /is away/});
	t.is(state.runs().length, 2);
});
