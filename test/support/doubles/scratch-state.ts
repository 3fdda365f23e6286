/** A state of a test's own, closed and removed when the test is over. */
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {openState, type State} from '../../../agent/state/state.ts';
import {temporaryFolder} from '../temporary-folder.ts';

export function scratchState(t: Pick<ExecutionContext, 'teardown'>): State {
	const state = openState(join(temporaryFolder(t), 'state.db'));
	t.teardown(() => state.close());
	return state;
}
