import {PassThrough} from 'node:stream';
import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import type {Engine} from '../../../docker/engine.ts';
import {watchContainers} from '../../../docker/watch.ts';
import {until} from '../../support/until.ts';

const scene = (rest?: number) => {
	const events = new PassThrough();
	const ending = new AbortController();
	const calls: Array<() => void> = [];
	let running = 0;
	let most = 0;
	const watching = watchContainers({events: async () => events} as unknown as Engine, {
		signal: ending.signal,
		async onChange() {
			running += 1;
			most = Math.max(most, running);
			const {promise, resolve} = Promise.withResolvers<void>();
			calls.push(resolve);
			await promise;
			running -= 1;
		},
		onLost() {},
		...(rest === undefined ? {} : {rest}),
	});
	const say = (action: string, labels: Record<string, string> = {}) =>
		events.write(`${JSON.stringify({Type: 'container', Action: action, Actor: {Attributes: {name: 'x', ...labels}}})}\n`);
	const end = async () => {
		ending.abort();
		events.end();
		await watching;
	};

	return {calls, say, end, most: () => most};
};

test('changes during a call are one further call, after it', async t => {
	const {calls, say, end, most} = scene(0);
	await until('the first call', () => calls.length === 1);
	calls[0]?.();
	say('start');
	await until('the call for the start', () => calls.length === 2);
	for (const action of ['die', 'start', 'destroy']) {
		say(action);
	}

	await t.throwsAsync(
		until('another call meanwhile', () => calls.length > 2, {timeout: 600}),
		{message: /in vain/},
	);
	calls[1]?.();
	await until('the call for the others', () => calls.length === 3);
	calls[2]?.();
	await t.throwsAsync(
		until('a fourth call', () => calls.length > 3, {timeout: 1500}),
		{message: /in vain/},
	);
	t.is(most(), 1);
	await end();
});

test('what Holdfast itself does in containers is no change', async t => {
	const {calls, say, end} = scene(0);
	await until('the first call', () => calls.length === 1);
	calls[0]?.();
	for (const action of ['exec_create: sh', 'exec_start: sh', 'exec_die', 'health_status: healthy', 'top', 'kill', 'archive-path']) {
		say(action);
	}

	for (const action of ['create', 'start', 'die', 'destroy']) {
		say(action, {'holdfast.worker': '20261121t030000-3f9a2c1'});
	}

	await t.throwsAsync(
		until('a call', () => calls.length > 1, {timeout: 1500}),
		{message: /in vain/},
	);
	await end();
});

test('where one change follows the other there is a rest between two calls', async t => {
	const {calls, say, end} = scene();
	await until('the first call', () => calls.length === 1);
	calls[0]?.();
	const begun = performance.now();
	await until('the second call', () => say('start') && calls.length === 2);
	t.true(performance.now() - begun > 2500);
	calls[1]?.();
	await end();
});

test('what takes long is followed by a longer rest, so that it is never the most that is done', async t => {
	const {calls, say, end} = scene(10);
	await until('the first call', () => calls.length === 1);
	const begun = performance.now();
	await delay(300);
	calls[0]?.();
	await until('the second call', () => say('start') && calls.length === 2);
	t.true(performance.now() - begun > 300 + 5 * 290);
	calls[1]?.();
	await end();
});
