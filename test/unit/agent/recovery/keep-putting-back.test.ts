/** What a run, or the roll-back of an earlier life, could not put back is tried again, for as long as the agent lives. */
import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import {keepPuttingBack} from '../../../../agent/recovery/keep-putting-back.ts';
import type {RestoreRecord} from '../../../../agent/state/restores.ts';
import type {Undo} from '../../../../docker/resume.ts';
import {withoutWaiting} from '../../../support/doubles/faults.ts';
import {memoryWorkshop} from '../../../support/doubles/workshop.ts';

type Recovery = Parameters<typeof keepPuttingBack>[0];

const start: Undo = {kind: 'start', containerId: 'app', containerName: 'app'};
const hook: Undo = {kind: 'hook', containerId: 'app', containerName: 'app', argv: ['hook', 'after'], timeoutMs: 30_000};

/** `app` stands still, and these are open: the first of an earlier life, the others of this one. */
async function scene({engine, workshop}: ReturnType<typeof memoryWorkshop>, undos: readonly Undo[]) {
	await engine.stop('app', 0);
	for (const undo of undos) {
		workshop.journal.record('r1', undo);
	}

	const told: string[] = [];
	const log = {debug() {}, info() {}, warning() {}, error: (message: string) => void told.push(message)};
	const recovery = {engine: workshop.engine, state: {...workshop.journal, ...workshop.restores}, log} as unknown as Recovery;
	const ending = new AbortController();
	const keeping = (earlier: Promise<unknown>, upTo: number, underWay = () => false) => {
		keepPuttingBack(recovery, {isUnderWay: underWay, upTo, earlier, signal: ending.signal}).catch(() => {});
		return ending;
	};
	return {keeping, told, isUp: () => engine.states().includes('app running')};
}

test.serial('what an earlier life left is tried by others first; what they left in the end is put back, too', async t => {
	const life = memoryWorkshop('');
	const {keeping, isUp} = await scene(life, [start]);
	await withoutWaiting(async () => {
		const earlier = Promise.withResolvers<void>();
		const ending = keeping(earlier.promise, 1);
		await delay(60_000);
		t.false(isUp());
		earlier.resolve();
		await delay(60_000);
		t.true(isUp());
		ending.abort();
	});
	t.deepEqual(life.workshop.journal.open(), []);
});

test.serial('a run that is under way puts back by itself, and a restore that is half done starts nobody', async t => {
	const life = memoryWorkshop('');
	const {keeping, isUp} = await scene(life, [start]);
	const record: RestoreRecord = {
		...{run: 'r1', target: 'shop/all', point: 'p', phase: 'swapping', replacements: [], swappedAt: null, keptIn: 'primary'},
		...{settledBy: null, ran: [], unjudged: []},
	};
	await withoutWaiting(async () => {
		let isUnderWay = true;
		const ending = keeping(Promise.resolve(), 0, () => isUnderWay);
		await delay(60_000);
		t.false(isUp());
		life.workshop.restores.saveRestore(record);
		isUnderWay = false;
		await delay(60_000);
		t.false(isUp());
		life.workshop.restores.removeRestore('r1');
		await delay(60_000);
		t.true(isUp());
		ending.abort();
	});
});

test.serial(
	'a hook that could not begin, because its container did not run, is run once that does; it is not asked every ten seconds for ever',
	async t => {
		const life = memoryWorkshop('');
		const {keeping, told} = await scene(life, [hook]);
		await withoutWaiting(async () => {
			const ending = keeping(Promise.resolve(), 0);
			await delay(3_600_000);
			t.true(told.length > 3 && told.length < 20, `${told.length} times in an hour`);
			await life.engine.start('app');
			await delay(700_000);
			ending.abort();
		});
		t.deepEqual(life.engine.executed, ['app hook after']);
		t.deepEqual(life.workshop.journal.open(), []);
	},
);
