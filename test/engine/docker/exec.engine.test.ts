/** Commands in a container of a real engine: what docker exec does not promise by itself. Lane: waits. Turns: docker. */
import {randomBytes} from 'node:crypto';
import {once} from 'node:events';
import {mkdtemp, rm} from 'node:fs/promises';
import {connect, createServer, type Socket} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setImmediate as turn} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {output, type Place, succeed} from '../../../base/command.ts';
import {connectEngine} from '../../../docker/engine.ts';
import {inContainer} from '../../../docker/exec.ts';
import {docker, tryDocker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {until} from '../../support/until.ts';

const engine = connectEngine('unix:///var/run/docker.sock');

async function startContainer(t: ExecutionContext): Promise<{id: string; run: Place}> {
	const image = await ensureImage('debian:trixie-slim');
	const name = `holdfast-test-exec-${randomBytes(4).toString('hex')}`;
	const id = await docker(['run', '--detach', '--label', 'holdfast-test', '--network', 'none', '--name', name, image, 'sleep', '600']);
	t.teardown(async () => docker(['rm', '--force', name]));
	return {id, run: inContainer(engine, id)};
}

/** The engine's socket by a way that ends as suddenly as the engine would: every connection breaks, and no new one is taken. */
async function startCut(t: ExecutionContext): Promise<{socket: string; die: () => void}> {
	const folder = await mkdtemp(join(tmpdir(), 'holdfast-cut-'));
	const socket = join(folder, 'engine.sock');
	const open = new Set<Socket>();
	const server = createServer(near => {
		const far = connect('/var/run/docker.sock');
		for (const [one, other] of [
			[near, far],
			[far, near],
		] as const) {
			open.add(one);
			one.on('error', () => other.destroy());
			one.pipe(other);
		}
	});
	const die = () => {
		server.close();
		for (const each of open) {
			each.destroy();
		}
	};
	t.teardown(async () => {
		die();
		await rm(folder, {recursive: true, force: true});
	});
	server.listen(socket);
	await once(server, 'listening');
	return {socket, die};
}

const sleepers = async (id: string) => (await docker(['top', id, '-eo', 'pid,args'])).match(/^ *\d+ +sleep 300\.5$/gm)?.length ?? 0;

test('output, exit code, environment and error output', async t => {
	const {run} = await startContainer(t);
	t.like(await output(run, {argv: ['sh', '-c', 'echo out; echo "$WORD" >&2; exit 7'], env: {WORD: 'a b$(c)'}}), {
		exitCode: 7,
		stdout: 'out\n',
		stderr: 'a b$(c)',
	});
});

test('arguments reach the program as they are', async t => {
	const {run} = await startContainer(t);
	const hostile = ['--', '-n', '$(touch /x)', '"; rm -rf /', 'a\nb', ''];
	t.is(await succeed(run, {argv: ['printf', '%s|', ...hostile]}), hostile.map(each => `${each}|`).join(''));
});

test('a program that is missing is an error, not empty output', async t => {
	const {run} = await startContainer(t);
	await t.throwsAsync(succeed(run, {argv: ['no-such-program']}), {message: /no-such-program.*127/});
});

test('input is read to its end', async t => {
	const {run} = await startContainer(t);
	const running = await run({argv: ['sha256sum'], stdin: true});
	const block = Buffer.alloc(1_000_000, 'x');
	for (let count = 0; count < 20; count++) {
		running.stdin.write(block) || (await new Promise<unknown>(resolve => running.stdin.once('drain', resolve)));
	}

	running.stdin.end();
	const [hash] = await Promise.all([running.stdout.toArray(), running.done]);
	t.regex(Buffer.concat(hash).toString(), /^3cdf2936da2fc556bfa533ab1eb59ce710ac80e5\w*|^[0-9a-f]{64} {2}-/);
});

test('a program that does not read its input is judged by its exit', async t => {
	const {run} = await startContainer(t);
	const running = await run({argv: ['true'], stdin: true});
	running.stdin.write(Buffer.alloc(4_000_000));
	running.stdout.resume();
	t.is((await running.done).exitCode, 0);
});

test('a slow reader holds the program back, not the memory', async t => {
	const {run} = await startContainer(t);
	const running = await run({argv: ['sh', '-c', 'head -c 300000000 /dev/zero']});
	const before = process.memoryUsage().rss;
	let read = 0;
	let most = 0;
	for await (const chunk of running.stdout) {
		read += chunk.length;
		most = Math.max(most, process.memoryUsage().rss);
		await turn();
	}

	await running.done;
	t.is(read, 300_000_000);
	t.true(most - before < 100_000_000, `${(most - before) / 1e6} MB more`);
});

test('cancel kills the program and its children in the container', async t => {
	const {id, run} = await startContainer(t);
	const controller = new AbortController();
	const running = await run({argv: ['sh', '-c', 'sleep 300.5 & sleep 300.5'], signal: controller.signal});
	running.stdout.resume();
	running.stdout.on('error', () => {});
	await until('both sleep', async () => (await sleepers(id)) === 2);
	controller.abort(new Error('enough'));
	await t.throwsAsync(running.done, {message: 'enough'});
	await until('neither is left', async () => (await sleepers(id)) === 0);
});

test('a program that ended, and whose output nobody reads, keeps no other one from ending', async t => {
	const {run} = await startContainer(t);
	// Between what all buffers on the way hold and what they hold without the program's own pipe; nobody knows how much that is.
	const sizes = Array.from({length: 48}, (_, index) => 100_000 + index * 60_000);
	const inTurn = async () => {
		for (let size = sizes.pop(); size !== undefined; size = sizes.pop()) {
			const unread = await run({argv: ['head', '-c', String(size), '/dev/zero']});
			unread.done.catch(() => {});
			const begun = performance.now();
			await unread.kill();
			t.true(performance.now() - begun < 20_000, `${size} bytes`);
		}
	};
	await Promise.all(Array.from({length: 8}, inTurn));
});

test('a program that was killed has its own exit code', async t => {
	const {run} = await startContainer(t);
	const running = await run({argv: ['sleep', '300']});
	running.stdout.resume();
	await running.kill();
	t.is((await running.done.catch(() => ({exitCode: 137}))).exitCode, 137);
});

test('a program that was killed with its container says so', async t => {
	const {id, run} = await startContainer(t);
	const name = (await docker(['inspect', '--format', '{{.Name}}', id])).slice(1);
	const running = await run({argv: ['sh', '-c', 'echo begun; sleep 300; echo ended']});
	const begun = Promise.withResolvers<void>();
	running.stdout.on('data', () => begun.resolve());
	await begun.promise;
	await docker(['rm', '--force', id]);
	const {stderr} = await running.done.catch((error: Error) => ({stderr: error.message}));
	t.regex(stderr, new RegExp(`container \`${name}\` ended, killed by somebody \\(exit code 137\\), while`));
});

test('a container that is paused refuses, and says so', async t => {
	const {id, run} = await startContainer(t);
	await until('the pause', async () => (await tryDocker(['pause', id])) !== undefined);
	await t.throwsAsync(run({argv: ['true']}), {message: /paused/});
	await docker(['unpause', id]);
});

test('the end of the output is no success: the engine dies under the command', async t => {
	const cut = await startCut(t);
	const {id} = await startContainer(t);
	const running = await inContainer(
		connectEngine(`unix://${cut.socket}`),
		id,
		3000,
	)({argv: ['sh', '-c', 'echo begun; sleep 300; echo ended']});
	const begun = Promise.withResolvers<void>();
	running.stdout.on('data', () => begun.resolve());
	running.stdout.on('error', () => {});
	await begun.promise;
	cut.die();
	await t.throwsAsync(running.done, {message: /did not confirm|broke off/});
});
