import {appendFile, copyFile, readFile, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import {lifelineAnywhere, lifelineOf} from '../../../docker/tether.ts';
import {temporaryFolder} from '../../support/temporary-folder.ts';

/** As the image has it: a FIFO. */
async function fifo(t: ExecutionContext): Promise<string> {
	const folder = temporaryFolder(t);
	await execa('mkfifo', [join(folder, 'fifo')]);
	return join(folder, 'fifo');
}

function start(t: ExecutionContext, [file = '', ...rest]: readonly string[]) {
	const running = execa(file, rest, {reject: false});
	t.teardown(() => running.kill('SIGKILL'));
	return running;
}

/** Seconds until it ended. */
async function lived(t: ExecutionContext, life: readonly string[]): Promise<number> {
	const begun = performance.now();
	await start(t, life);
	return (performance.now() - begun) / 1000;
}

const isAlive = async (life: Promise<unknown>) => Promise.race([life.then(() => false), delay(400, true)]);

test('a worker of which nobody is ever heard ends by itself', async t => {
	const at = await fifo(t);
	const ends = await Promise.all([
		lived(t, lifelineOf({at, lease: 0.5}).life),
		lived(t, lifelineAnywhere({at: `${at}-none`, lease: 0.5}).life),
	]);
	t.true(Math.max(...ends) < 20, ends.join());
});

test('a worker lives as long as its agent is heard, and ends soon after the agent is gone', async t => {
	const {life, tell} = lifelineOf({at: await fifo(t), lease: 120, grace: 0.1});
	const living = lived(t, life);
	const telling = start(t, tell);
	t.true(await isAlive(living));
	telling.stdin.end();
	t.true((await living) < 60);
});

test('what is heard now and then is enough, also in an image of which little is known', async t => {
	const at = `${await fifo(t)}-none`;
	const {life, tell} = lifelineAnywhere({at, lease: 1});
	const living = lived(t, life);
	const telling = start(t, tell);
	for (let beat = 0; beat < 15; beat++) {
		telling.stdin.write('\n');
		await delay(100);
	}

	t.true(await isAlive(living));
	telling.stdin.end();
	t.true((await living) < 60);
});

test('where one connection took the place of another, the end of the earlier one is not the end of the worker', async t => {
	const at = await fifo(t);
	const living = lived(t, lifelineOf({at, lease: 120, grace: 0.1}).life);
	await appendFile(at, 'here 1\ngone 1\nhere 2\nhere 3\ngone 2\n');
	t.true(await isAlive(living));
	await appendFile(at, 'gone 3\n');
	t.true((await living) < 60);
});

test('what would leave a lock is asked to end before the worker does, and what is stuck is not waited for', async t => {
	const at = await fifo(t);
	const name = `last${process.pid}`;
	const program = join(dirname(at), name);
	await copyFile('/bin/bash', program);
	const said = join(dirname(at), 'said');
	const starts = [
		'trap "echo asked >$0; exit" TERM; echo >$0; while :; do read -t 0.1 <> <(:); done',
		'trap "" TERM; while :; do read -t 0.1 <> <(:); done',
	];
	for (const script of starts) {
		await writeFile(said, '');
		const last = start(t, [program, '-c', script, said]);
		const living = lived(t, lifelineOf({at, lease: 0.5, last: name}).life);
		const took = await living;
		t.true(took < 60, String(took));
		if (script === starts[0]) {
			t.is(await readFile(said, 'utf8'), 'asked\n');
			t.true(took < 9, String(took));
		}

		last.kill('SIGKILL');
		await last;
	}
});

test('a SIGHUP, by which restic asks whether the process of a lock lives, ends neither the worker nor what keeps it', async t => {
	const {life, tell} = lifelineOf({at: await fifo(t), lease: 120, grace: 0.1});
	const living = start(t, life);
	const telling = start(t, tell);
	t.true(await isAlive(living));
	living.kill('SIGHUP');
	telling.kill('SIGHUP');
	t.true(await isAlive(Promise.race([living, telling])));
	telling.stdin.end();
	t.is((await living).exitCode, 0);
});
