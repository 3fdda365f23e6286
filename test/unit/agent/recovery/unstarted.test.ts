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

test('that of another agent is removed when it was seen for an hour, whatever clocks say; one that was started, or gone, meanwhile is not', async t => {
	const foreign = (id: string, state: string) => ({
		id,
		name: id,
		state,
		createdAt: 0,
		labels: {'holdfast.worker': 'run', 'holdfast.agent': 'another'},
	});
	const minute = 60_000;
	let looks = 0;
	const removed: Array<[string, number]> = [];
	const said: string[] = [];
	const ending = new AbortController();
	const engine = {
		async list() {
			looks += 1;
			if (looks === 20) {
				ending.abort();
			}

			if (looks === 5) {
				throw new Error('the engine is away');
			}

			const lost = removed.length === 0 ? [foreign('lost', 'created')] : [];
			return [
				...lost,
				foreign('used', looks % 10 === 0 ? 'running' : 'exited'),
				{...foreign('app', 'created'), labels: {'holdfast.agent': 'another'}},
			];
		},
		async remove(id: string) {
			removed.push([id, looks]);
		},
	} as unknown as Engine;
	const told = {...log, info: (line: string) => said.push(line)};
	await t.throwsAsync(
		keepRemovingUnstarted({engine, log: told, state: {agentId: 'me'}}, {signal: ending.signal, everyMs: 1, now: () => looks * 5 * minute}),
	);
	t.deepEqual(removed, [['lost', 13]]);
	t.deepEqual(said, ['worker `lost` of agent `another`, which does not come back, which did not run, was removed']);
});
