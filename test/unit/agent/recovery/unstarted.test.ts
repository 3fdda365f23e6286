import test from 'ava';
import {keepRemovingUnstarted} from '../../../../agent/recovery/unstarted.ts';
import type {Engine} from '../../../../docker/engine.ts';

const log = {info() {}, warning() {}, error() {}, debug() {}};

test('a worker that does not run twice in a row is removed; one that was just made, runs or is of another agent is not', async t => {
	const worker = (id: string, state: string, agent = 'me') => ({
		id,
		name: id,
		state,
		labels: {'holdfast.worker': 'run', 'holdfast.agent': agent},
	});
	let looks = 0;
	const removed: string[] = [];
	const ending = new AbortController();
	const engine = {
		async list() {
			looks += 1;
			if (looks === 2) {
				throw new Error('the engine is away');
			}

			if (looks === 6) {
				ending.abort();
			}

			const lost = ['lost', 'dead'].filter(id => !removed.includes(id)).map(id => worker(id, id === 'lost' ? 'created' : 'exited'));
			const started = worker('slow', looks === 3 ? 'created' : 'running');
			const app = {id: 'app', name: 'app', state: 'exited', labels: {'holdfast.agent': 'me'}};
			return [...lost, started, worker('other', 'created', 'another'), app];
		},
		async remove(id: string) {
			removed.push(id);
		},
	} as unknown as Engine;
	await t.throwsAsync(keepRemovingUnstarted({engine, log, state: {agentId: 'me'}}, {signal: ending.signal, everyMs: 1}));
	t.deepEqual([removed, looks], [['lost', 'dead'], 6]);
});
