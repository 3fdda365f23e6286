import {PassThrough} from 'node:stream';
import test from 'ava';
import {createOutput} from '../../../../agent/cli/output.ts';
import {createProgress} from '../../../../agent/cli/progress.ts';
import type {RunEvent, Told} from '../../../../base/events.ts';
import type {BackupResult} from '../../../../base/results.ts';
import {until} from '../../../support/until.ts';

function screen(columns?: number) {
	const writes: string[] = [];
	const stream = Object.assign(new PassThrough(), columns === undefined ? {} : {isTTY: true, columns});
	stream.on('data', chunk => writes.push(String(chunk)));
	return {writes, progress: createProgress(createOutput(stream, {colour: false}))};
}

const told = (at: number, event: Told, run = 'r1'): RunEvent => ({...event, run, target: `shop/${run}`, at}) as RunEvent;

const result: BackupResult = {
	run: 'r1',
	target: 'shop/r1',
	outcome: 'success',
	point: 'r1',
	startedAt: '',
	durationSeconds: 2,
	quiesceSeconds: 0,
	sources: [],
};

test('a live line tells step, source, bytes, speed and time left', async t => {
	const {writes, progress} = screen(80);
	progress.add(told(0, {type: 'step', step: 'store', subject: 'volume:/data'}));
	progress.add(told(0, {type: 'progress', source: 'volume:/data', bytes: 0, totalBytes: 100_000_000}));
	progress.add(told(2000, {type: 'progress', source: 'volume:/data', bytes: 20_000_000, totalBytes: 100_000_000}));
	await until('the line', () => writes.join('').includes('shop/r1  store volume:/data  20 MB of 100 MB  10 MB/s  8s left\n'));
	progress.end();
	t.is(writes.at(-1), '\u001b[1A\u001b[J');
});

test('it is drawn at most ten times a second, however much is told', async t => {
	const {writes, progress} = screen(80);
	const began = performance.now();
	let count = 0;
	while (performance.now() - began < 450) {
		progress.add(told(count, {type: 'progress', source: 's', bytes: count++}));
		await new Promise(setImmediate);
	}

	progress.end();
	const drawn = writes.filter(write => write.includes('shop/r1')).length;
	t.true(count > 100, `${count} events`);
	t.true(drawn >= 1 && drawn <= 6, `${drawn} times`);
});

test('what lasts stays above the live lines, and a line never wraps', async t => {
	const {writes, progress} = screen(30);
	progress.add(told(0, {type: 'step', step: 'store', subject: 'x'.repeat(100)}));
	progress.add(told(0, {type: 'step', step: 'plan'}, 'r2'));
	await until('the lines', () => writes.length > 0);
	t.deepEqual(writes, ['', `shop/r1  store ${'x'.repeat(13)}…\nshop/r2  plan\n`].slice(1));
	progress.add(told(1, {type: 'finished', operation: 'backup', result}));
	progress.end();
	t.is(writes.slice(1).join(''), '\u001b[2A\u001b[Jshop/r1: success in 2s\nshop/r2  plan\n\u001b[1A\u001b[J');
});

test('many runs take eight lines at most', async t => {
	const {writes, progress} = screen(80);
	for (let index = 0; index < 30; index++) {
		progress.add(told(0, {type: 'step', step: 'plan'}, `r${index}`));
	}

	await until('the lines', () => writes.join('').includes('… and 22 more\n'));
	t.is(writes.at(-1)?.split('\n').length, 10);
	progress.end();
});

test('plain lines tell the bytes every ten seconds only', t => {
	const {writes, progress} = screen();
	for (let second = 0; second <= 25; second++) {
		progress.add(told(second * 1000, {type: 'progress', source: 's', bytes: second * 1_000_000}));
	}

	progress.end();
	t.deepEqual(writes, ['shop/r1: s  10 MB  1 MB/s\n', 'shop/r1: s  20 MB  1 MB/s\n']);
});
