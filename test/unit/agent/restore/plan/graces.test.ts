import test from 'ava';
import {graceWarnings} from '../../../../../agent/restore/plan/graces.ts';
import type {Restoration} from '../../../../../agent/restore/plan/plan.ts';
import type {Engine} from '../../../../../docker/engine.ts';

test('who may take long to stop is told of before, and that the limit on the outage cuts it', async t => {
	const graces: Record<string, number> = {quick: 10, slow: 60, slower: 600, endless: -1};
	const engine = {
		async inspect(id: string) {
			if (graces[id] === undefined) {
				throw Object.assign(new Error('no such container'), {statusCode: 404});
			}

			return {name: id, stopTimeoutSeconds: graces[id]};
		},
	} as unknown as Engine;
	const stop = [...Object.keys(graces), 'gone'].map(id => ({container: {id}})) as unknown as Restoration['stop'];
	t.deepEqual(await graceWarnings({stop, stopLimitMs: 300_000}, engine), [
		'container `slow` may take up to 1m to stop, and the application is down meanwhile',
		'container `slower` may take up to 5m to stop, and the application is down meanwhile; then it is killed',
		'container `endless` may take up to 5m to stop, and the application is down meanwhile; then it is killed',
	]);
});
