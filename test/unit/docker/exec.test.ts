import {Duplex} from 'node:stream';
import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import type {Engine} from '../../../docker/engine.ts';
import {inContainer} from '../../../docker/exec.ts';
import {until} from '../../support/until.ts';

/** One frame of a docker exec's output. */
function frame(output: 1 | 2, content: string): Buffer {
	const header = Buffer.alloc(8);
	header.writeUInt8(output, 0);
	header.writeUInt32BE(Buffer.byteLength(content), 4);
	return Buffer.concat([header, Buffer.from(content)]);
}

/** An engine whose only command never ends by itself, and the connection that brings its output. */
function engineWith(stream: Duplex): Engine {
	return {
		exec: async () => ({stream, inspect: async () => ({running: false, exitCode: 137})}),
		inspect: async () => ({state: 'running'}),
	} as unknown as Engine;
}

const start = async () => {
	const stream = new Duplex({read() {}, write: (_chunk, _encoding, done) => done()});
	const place = inContainer(engineWith(stream), 'a'.repeat(64));
	stream.push(frame(2, '42\n'));
	const running = await place({argv: ['pg_dump']});
	stream.push(frame(1, 'half'));
	return {stream, running};
};

test('a connection that breaks fails the command and whoever reads its output', async t => {
	const {stream, running} = await start();
	const read = Array.fromAsync(running.stdout);
	stream.destroy();
	await t.throwsAsync(read, {message: /broke off/});
	await t.throwsAsync(running.done, {message: /broke off/});
});

test('a connection that breaks fails the command, and nothing else, where its output is thrown away', async t => {
	const {stream, running} = await start();
	running.stdout.resume();
	await until('the output to be taken', () => stream.readableLength === 0);
	stream.destroy();
	await t.throwsAsync(running.done, {message: /broke off/});
});

test('who reads the output of a command that is cancelled hears of the cancel, not of a connection that broke', async t => {
	const stream = new Duplex({read() {}, write: (_chunk, _encoding, done) => done()});
	const connections = [stream, Duplex.from([])];
	// The engine takes its time to say what became of the command that kills
	const inspect = async () => delay(50, {running: false, exitCode: 137});
	const engine = {exec: async () => ({stream: connections.shift(), inspect}), inspect: async () => ({state: 'running'})};
	stream.push(frame(2, '42\n'));
	const cancel = new AbortController();
	const running = await inContainer(engine as unknown as Engine, 'a'.repeat(64))({argv: ['restic'], signal: cancel.signal});
	const read = Array.fromAsync(running.stdout);
	cancel.abort(new Error('the agent is shutting down'));
	await t.throwsAsync(read, {message: 'the agent is shutting down'});
	await t.throwsAsync(running.done, {message: 'the agent is shutting down'});
});

test('a command that the engine does not even begin keeps nobody waiting who has given it up, and is ended when it begins all the same', async t => {
	const stream = new Duplex({read() {}, write: (_chunk, _encoding, done) => done()});
	const asked: string[] = [];
	const {promise: begins, resolve: begin} = Promise.withResolvers<void>();
	const engine = {
		async exec(_id: string, {argv}: {argv: string[]}) {
			asked.push(argv.at(-1) ?? '');
			if (asked.length > 1) {
				return {stream: Duplex.from([]), inspect: async () => ({running: false, exitCode: 0})};
			}

			await begins;
			return {stream, inspect: async () => ({running: false, exitCode: 137})};
		},
		inspect: async () => ({state: 'running'}),
	};
	const cancel = new AbortController();
	const starting = inContainer(engine as unknown as Engine, 'a'.repeat(64))({argv: ['pg_dump'], signal: cancel.signal});
	cancel.abort(new Error('no progress for 30m'));
	await t.throwsAsync(starting, {message: 'no progress for 30m'});
	begin();
	stream.push(frame(2, '42\n'));
	await until('it to be killed', () => asked.length > 1);
	t.deepEqual(asked, ['pg_dump', '42']);
});

test('a command for a container that has ended says how that ended', async t => {
	const refusal = Object.assign(new Error('(HTTP code 409) - Container aaa is not running'), {statusCode: 409});
	const engineOf = (death: object | undefined) =>
		({exec: async () => Promise.reject(refusal), death: async () => death, inspect: async () => ({state: 'gone'})}) as unknown as Engine;
	const told = async (death: object | undefined) => t.throwsAsync(inContainer(engineOf(death), 'a'.repeat(64))({argv: ['restic']}));
	t.is(
		(await told({name: 'worker', exitCode: 137}))?.message,
		'container `worker` ended, killed by somebody (exit code 137), before `restic` could begin in it',
	);
	t.is(
		(await told({name: 'worker', exitCode: 1}))?.message,
		'container `worker` ended, with exit code 1, before `restic` could begin in it',
	);
	t.is((await told(undefined))?.message, 'container aaaaaaaaaaaa ended before `restic` could begin in it');
});
