/** A producer, a judge and a taker, as real programs: what is not whole is never taken for it. */
import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Readable, Writable} from 'node:stream';
import test from 'ava';
import {consume} from '../../../../../agent/sources/stream/consume.ts';
import type {StreamContainer} from '../../../../../agent/sources/stream/container.ts';
import {sinkOf} from '../../../../../agent/sources/stream/flow.ts';
import type {StreamPolicy} from '../../../../../agent/sources/stream/labels.ts';
import {EmptyStreamError, produce} from '../../../../../agent/sources/stream/produce.ts';
import type {Exit, Running} from '../../../../../base/command.ts';
import {here} from '../../../../../base/here.ts';

const container: StreamContainer = {run: async command => here(command), endLeft: async () => {}, hasShell: async () => true};

const shell = (script: string): [string, ...string[]] => ['sh', '-c', script];

async function produced(script: string, {check, ...more}: {check?: string; timeoutMs?: number; limit?: number; signal?: AbortSignal} = {}) {
	const folder = await mkdtemp(join(tmpdir(), 'holdfast-stream-'));
	const file = join(folder, 'stream');
	try {
		const policy: StreamPolicy = {
			argv: shell(script),
			check: check === undefined ? undefined : shell(check),
			timeoutMs: more.timeoutMs ?? 20_000,
			moment: 'after',
		};
		const bytes = await produce({
			planned: {stream: 'x', policy},
			container,
			worker: here,
			file,
			limit: more.limit ?? Number.POSITIVE_INFINITY,
			signal: more.signal ?? new AbortController().signal,
		});
		return {bytes, content: await readFile(file)};
	} finally {
		await rm(folder, {recursive: true, force: true});
	}
}

test('what the producer wrote is there, byte by byte, and judged', async t => {
	const {bytes, content} = await produced("head -c 3000000 /dev/zero | tr '\\0' x; printf '\\0\\377\\n'", {
		check: 'test "$(wc -c)" -eq 3000003',
	});
	t.is(bytes, 3_000_003);
	t.deepEqual([...content.subarray(-4)], [120, 0, 255, 10]);
});

for (const [what, script, options, said] of [
	['that fails after half of it', 'echo half; echo why >&2; exit 3', {}, /`holdfast\.stream\.x` \(`sh`\) exited with 3: why/],
	['that writes half and exits 0', 'echo half', {check: 'grep -q whole'}, /`holdfast\.stream\.x\.check` \(`sh`\) exited with 1/],
	['that hangs', 'echo half; sleep 600', {timeoutMs: 300}, /`holdfast\.stream\.x` \(`sh`\) did not end within 300ms/],
	['that only complains, for ever', 'while :; do echo x >&2; done', {timeoutMs: 300}, /did not end within/],
	['that leaves a child with its output', 'echo all; sleep 600 & sleep 0.1; exit 4', {}, /exited with 4/],
	['of too much', 'cat /dev/zero', {limit: 100_000}, /too little room/],
	['whose judge never reads', 'head -c 9000000 /dev/zero', {check: 'sleep 600', timeoutMs: 500}, /did not end within/],
	['whose judge says no at once', 'cat /dev/zero', {check: 'head -c 3 >/dev/null; exit 7'}, /\.check` \(`sh`\) exited with 7/],
	['that wants a terminal', 'echo "the input device is not a TTY" >&2; exit 1', {}, /not a TTY/],
] as const) {
	test(`a producer ${what} is no dump`, async t => {
		await t.throwsAsync(produced(script, options), {message: said});
	});
}

test('nothing at all is no dump, although its producer exited 0', async t => {
	await t.throwsAsync(produced('exit 0'), {instanceOf: EmptyStreamError, message: /wrote nothing/});
});

test('a judge may leave early when it has seen enough', async t => {
	const {bytes} = await produced('head -c 9000000 /dev/zero', {check: 'head -c 3 >/dev/null'});
	t.is(bytes, 9_000_000);
});

test('a cancel ends all of them, and is told as what it is', async t => {
	const cancel = new AbortController();
	setTimeout(() => cancel.abort(new Error('cancelled by me')), 200);
	await t.throwsAsync(produced('echo x; sleep 600', {check: 'cat >/dev/null', signal: cancel.signal}), {message: /cancelled by me/});
});

const taken = async (script: string, content: string | undefined, read = 'printf %s "$1"'): Promise<number> =>
	consume({
		stream: 'x',
		policy: {argv: ['producer'], restore: shell(script), timeoutMs: 20_000, moment: 'after'},
		part: 'restore',
		container,
		open: content === undefined ? undefined : async (signal): Promise<Running> => here({argv: ['sh', '-c', read, 'sh', content], signal}),
		signal: new AbortController().signal,
	});

const long = 'x'.repeat(100_000);

test('a taker gets all of it', async t => {
	t.is(await taken(`test "$(wc -c)" -eq 100000`, long), 100_000);
	t.is(await taken('test "$(wc -c)" -eq 0', undefined), 0);
});

test('a taker that leaves something behind has not taken it, although it exited 0', async t => {
	for (const script of ['head -c 10 >/dev/null', 'exit 0']) {
		await t.throwsAsync(taken(script, long), {message: /exited 0 before it had read all/}, script);
	}

	await t.throwsAsync(taken('head -c 10 >/dev/null', 'only 11 byt'), {message: /exited 0 before/});
});

test('zeros at the end of an archive may be left', async t => {
	await t.notThrowsAsync(taken('head -c 5 >/dev/null', 'tar', 'printf tar..; head -c 20000 /dev/zero'));
});

test('a taker that fails is heard, and a stream that breaks off is never handed over as whole', async t => {
	await t.throwsAsync(taken('cat >/dev/null; echo no >&2; exit 5', long), {message: /`holdfast\.stream\.x\.restore`.*exited with 5: no/});
	await t.throwsAsync(taken('cat >/dev/null', long, 'printf half; echo gone >&2; exit 1'), {message: /could not be read whole: gone/});
});

test('nothing is kept of what has passed, however much it is', async t => {
	let listeners = 0;
	const done = new Promise<Exit>(() => {});
	const counted = Object.assign(Object.create(done) as Promise<Exit>, {
		// biome-ignore lint/suspicious/noThenProperty: who waits for the end of the command is counted
		then(...handlers: Parameters<Promise<Exit>['then']>) {
			listeners++;
			return done.then(...handlers);
		},
	});
	const stdin = new Writable({write: (_chunk, _encoding, accepted) => accepted()});
	const sink = sinkOf({stdin, stdout: Readable.from([]), done: counted, kill: async () => {}});
	for (let count = 0; count < 1000; count++) {
		await sink.write(Buffer.from('x'));
	}

	t.is(listeners, 1);
});
