import test from 'ava';
import {createInventory} from '../../../../agent/metrics/inventory.ts';
import {createEventHub} from '../../../../base/events.ts';
import {scratchState} from '../../../support/doubles/scratch-state.ts';
import {until} from '../../../support/until.ts';

const snapshot = (id: string, ...tags: string[]) => ({
	id,
	tags,
	tree: '',
	time: new Date(0),
	host: 'host',
	paths: [],
	bytes: 0,
	addedBytes: 0,
});
const target = 'repository:primary';

test('what the repository holds is counted at the start and after each run; what a prune measured is true after a restart', async t => {
	const state = scratchState(t);
	const hub = createEventHub(error => t.fail(String(error)));
	let points = 1;
	let measured = 0;
	const restic = {
		snapshots: async () =>
			Array.from({length: points}, (_, index) => [
				snapshot(`a${index}`, `run:${index}`, 'target:shop/db', 'source:volume:/data'),
				snapshot(`b${index}`, `run:${index}`, 'target:shop/db', 'manifest:1'),
			]).flat(),
		locks: async () => [{id: 'l', time: new Date(5000), exclusive: false, hostname: 'x', pid: 1, username: 'root'}],
		size: async () => {
			measured++;
			return 1000;
		},
	};
	const open = () => {
		const inventory = createInventory({
			name: 'primary',
			restic,
			state,
			ledger: {look() {}},
			ownership: () => ({agent: 'agent-1', isOurs: () => true, targetOf: ({target: name}) => name, namesOf: name => [name]}),
			hub,
			opened: async () => {},
			report: error => t.fail(String(error)),
		});
		t.teardown(inventory.close);
		return inventory;
	};
	const {holdings} = open();
	t.is(holdings().points, undefined, 'nothing is claimed before the first look');
	await until('the first look', () => holdings().sizeBytes !== undefined);
	t.like(holdings(), {sizeBytes: 1000, checkSuccess: undefined, lastCheck: undefined, suspicious: []});
	t.deepEqual(holdings().points, new Map([['shop/db', 1]]));
	t.true(Math.abs((holdings().lockAgeMs ?? 0) - Date.now() + 5000) < 10_000);

	points = 2;
	const at = Date.now();
	const source = {source: 'volume:/data', outcome: 'success' as const, snapshot: 'a', bytes: 9, addedBytes: 7};
	const backedUp = {
		run: 'r',
		target: 'shop/db',
		outcome: 'success' as const,
		point: 'r',
		startedAt: '',
		durationSeconds: 1,
		quiesceSeconds: 0,
	};
	state.insertRun({run: 'r', target: 'shop/db', operation: 'backup', trigger: 'cli', queuedAt: at});
	state.finishRun('r', at + 1000, {...backedUp, sources: [source]});
	hub.send({type: 'finished', run: 'r', target: 'shop/db', at, operation: 'backup', result: {...backedUp, sources: [source]}});
	await until('the look after the run', () => holdings().sizeBytes === 1007);
	t.deepEqual(holdings().points, new Map([['shop/db', 2]]));

	const run = {target, outcome: 'success' as const, startedAt: '', durationSeconds: 1};
	state.insertRun({run: 'p', target, operation: 'prune', trigger: 'cli', queuedAt: at});
	state.finishRun('p', at + 2000, {...run, run: 'p', removed: [], held: [], bytes: 500});
	state.insertRun({run: 'c', target, operation: 'check', trigger: 'cli', queuedAt: at});
	state.finishRun('c', at + 3000, {...run, run: 'c', readData: null});
	state.insertRun({run: 'd', target, operation: 'check', trigger: 'cli', queuedAt: at + 1});
	state.finishRun('d', at + 4000, {...run, run: 'd', outcome: 'failed', readData: null, error: 'damaged'});
	const before = measured;
	const again = open();
	await until('the look after a restart', () => again.holdings().sizeBytes === 500);
	t.like(again.holdings(), {checkSuccess: false, lastCheck: at + 3000, lastPrune: at + 2000});
	t.is(measured, before, 'nobody measured again');
});
