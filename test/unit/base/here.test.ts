import {once} from 'node:events';
import {access, mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {buffer, text} from 'node:stream/consumers';
import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import {type Command, output, stderrLimit, succeed} from '../../../base/command.ts';
import {here} from '../../../base/here.ts';
import {until} from '../../support/until.ts';

const shell = (script: string, ...rest: string[]): Command['argv'] => ['sh', '-c', script, 'sh', ...rest];

const isAlive = (pid: number): boolean => {
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		return false;
	}
};

const inFolder = async (work: (folder: string) => Promise<void>): Promise<void> => {
	const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-here-'));
	try {
		await work(folder);
	} finally {
		await rm(folder, {recursive: true});
	}
};

// Two processes, of which the shell is not the one that sleeps; their ids are in files
const sleepers = 'echo $$ > "$1/shell"; sleep 600 & echo $! > "$1/child"; wait';

const idsOfSleepers = async (folder: string): Promise<number[]> =>
	until('both processes', async () => {
		const ids = await Promise.all(['shell', 'child'].map(async name => Number(await readFile(path.join(folder, name), 'utf8'))));
		return ids.every(id => id > 0) && ids;
	});

test('exit codes are given as they are, and death by a signal as a shell gives it', async t => {
	t.is((await output(here, {argv: ['true']})).exitCode, 0);
	t.is((await output(here, {argv: shell('exit 7')})).exitCode, 7);
	t.is((await output(here, {argv: shell('kill -KILL $$')})).exitCode, 137);
	t.is((await output(here, {argv: shell('kill -TERM $$')})).exitCode, 143);
});

test('arguments are handed over as they are', async t => {
	const hostile = ['$(id)', '`id`', "a'b", 'a\nb', '--', '-n', '*', ''];
	t.is(await succeed(here, {argv: ['printf', '%s|', ...hostile]}), hostile.map(argument => `${argument}|`).join(''));
});

test('a program that does not exist is an error with its name', async t => {
	await t.throwsAsync(here({argv: ['holdfast-no-such-program']}), {message: /`holdfast-no-such-program` cannot be started here: .*ENOENT/});
});

test('the environment holds what is given and little else', async t => {
	process.env.HOLDFAST_HERE_SECRET = 'secret';
	const printed = await succeed(here, {argv: ['env'], env: {GIVEN: 'a b'}});
	t.regex(printed, /^GIVEN=a b$/m);
	t.regex(printed, /^PATH=/m);
	t.notRegex(printed, /HOLDFAST_HERE_SECRET/);
});

test('only the end of stderr is kept', async t => {
	const script = 'i=0; while [ $i -lt 20000 ]; do echo "line $i é"; i=$((i + 1)); done >&2';
	const {stderr} = await output(here, {argv: shell(script)});
	t.true(Buffer.byteLength(stderr) <= stderrLimit && Buffer.byteLength(stderr) > stderrLimit - 10);
	t.true(stderr.endsWith('line 19999 é\n'));
	t.false(stderr.includes('\uFFFD'));
});

test('a short stderr is kept whole', async t => {
	t.is((await output(here, {argv: shell('echo a >&2; echo b >&2; exit 1')})).stderr, 'a\nb\n');
});

test('standard input reaches the command', async t => {
	const running = await here({argv: ['cat'], stdin: true});
	running.stdin.end('hello');
	t.is(await text(running.stdout), 'hello');
	t.is((await running.done).exitCode, 0);
});

test('without stdin the command reads nothing, and writing is over', async t => {
	const running = await here({argv: ['cat']});
	t.true(running.stdin.writableEnded);
	t.is(await text(running.stdout), '');
	t.is((await running.done).exitCode, 0);
});

test('a command that does not read its input is no crash', async t => {
	const running = await here({argv: ['true'], stdin: true});
	running.stdout.resume();
	t.is((await running.done).exitCode, 0);
	running.stdin.write(Buffer.alloc(1_000_000), () => {});
	running.stdin.end();
	const closing = await here({argv: shell('exec <&-; sleep 0.2; exit 3'), stdin: true});
	closing.stdin.write(Buffer.alloc(1_000_000), () => {});
	closing.stdout.resume();
	t.is((await closing.done).exitCode, 3);
});

test('bytes pass unchanged, and nothing is lost when they are read late', async t => {
	const running = await here({argv: shell(`printf '\\377\\000\\303'`)});
	await delay(100);
	t.deepEqual(await buffer(running.stdout), Buffer.from([0xff, 0, 0xc3]));
	t.is((await running.done).exitCode, 0);
});

test('a command waits when nobody reads, and memory stays bounded', async t => {
	await inFolder(async folder => {
		const before = process.memoryUsage().rss;
		const argv = shell('head -c 300000000 /dev/zero; touch "$1/done"', folder);
		const running = await here({argv});
		await delay(500);
		await t.throwsAsync(access(path.join(folder, 'done')));
		t.true(process.memoryUsage().rss - before < 50_000_000);
		let bytes = 0;
		for await (const chunk of running.stdout) {
			bytes += (chunk as Buffer).length;
		}

		t.is(bytes, 300_000_000);
		t.is((await running.done).exitCode, 0);
	});
});

test('cancelling kills the command and what it started, and gives the reason', async t => {
	await inFolder(async folder => {
		const controller = new AbortController();
		const running = await here({argv: shell(sleepers, folder), signal: controller.signal});
		const ids = await idsOfSleepers(folder);
		t.true(ids.every(id => isAlive(id)));
		const reason = new Error('the run was cancelled');
		controller.abort(reason);
		t.is(await t.throwsAsync(running.done), reason);
		await until('both processes gone', () => !ids.some(id => isAlive(id)));
	});
});

test('cancelling works while nobody reads a full output', async t => {
	const controller = new AbortController();
	const running = await here({argv: ['cat', '/dev/zero'], signal: controller.signal});
	await once(running.stdout, 'readable');
	const reason = new Error('cancelled');
	controller.abort(reason);
	t.is(await t.throwsAsync(Promise.race([running.done, delay(10_000)])), reason);
});

test('a signal that has fired already starts nothing', async t => {
	const reason = new Error('too late');
	t.is(await t.throwsAsync(here({argv: ['true'], signal: AbortSignal.abort(reason)})), reason);
});

test('cancelling after the exit changes nothing', async t => {
	const controller = new AbortController();
	const running = await here({argv: ['true'], signal: controller.signal});
	running.stdout.resume();
	await running.done;
	controller.abort();
	t.is((await running.done).exitCode, 0);
});

test('kill ends the command and may be called twice', async t => {
	await inFolder(async folder => {
		const running = await here({argv: shell(sleepers, folder)});
		const ids = await idsOfSleepers(folder);
		await running.kill();
		await running.kill();
		t.is((await running.done).exitCode, 137);
		await until('both processes gone', () => !ids.some(id => isAlive(id)));
	});
});

test('what a command leaves behind does not delay its end', async t => {
	const started = performance.now();
	const {exitCode, stdout} = await output(here, {argv: shell('sleep 600 & echo said; exit 4')});
	t.is(exitCode, 4);
	t.is(stdout, 'said\n');
	t.true(performance.now() - started < 10_000);
});

test('a reader that goes away ends the writer', async t => {
	const running = await here({argv: ['cat', '/dev/zero']});
	await once(running.stdout, 'readable');
	running.stdout.destroy();
	t.not((await running.done).exitCode, 0);
});
