/** A machine loses its power while its restic has the shared repository for itself: the other agent waits, says for whom, touches nothing of it, and goes on when a person, or that machine, has unlocked. Lane: waits. Turns: repository. */
import {readdirSync} from 'node:fs';
import test from 'ava';
import type {Unlocked} from '../../../base/shapes/locks.ts';
import type {RunView} from '../../../base/shapes/runs.ts';
import {idleApp} from '../../support/stack/idle.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

test('the lock of a machine without power: a backup waits and names it, nobody else removes it, and it succeeds when it is gone', async t => {
	t.timeout(12 * 60_000);
	const image = process.env.HOLDFAST_TEST_IMAGE ?? 'holdfast:dev';
	const password = 'of all machines';
	const stack = await startStack(t, {
		slowKey: true,
		volumes: ['data'],
		up: ['holdfast', 'app'],
		holdfast: {environment: {RESTIC_PASSWORD: password}},
		services: {
			app: await idleApp(),
			other: {
				image,
				hostname: 'other-machine',
				user: '0',
				entrypoint: ['sh', '-c', 'while :; do restic --no-cache check --read-data; done'],
				healthcheck: {disable: true},
				environment: {RESTIC_REPOSITORY: '/repository', RESTIC_PASSWORD: password},
				volumes: ['hf-repository:/repository'],
			},
		},
	});
	const target = `${stack.project}/app`;
	await stack.exec('app', 'sh', '-c', 'head -c 20000000 /dev/urandom >/data/file');
	t.is((await stack.holdfast('backup', target)).exitCode, 0);

	const repository = await stack.docker(['volume', 'inspect', '--format', '{{.Mountpoint}}', `${stack.project}_hf-repository`]);
	const locks = () => readdirSync(`${repository}/locks`).filter(name => /^[0-9a-f]{64}$/.test(name));
	await until(
		'the other machine to lose its power while it has the repository for itself',
		async () => {
			await stack.compose('up', '--detach', 'other');
			await until('a lock', () => locks().length > 0, {timeout: 60_000, interval: 5});
			await stack.docker(['kill', '--signal', 'KILL', stack.container('other')]);
			return locks().length > 0;
		},
		{timeout: 3 * 60_000, interval: 10},
	);
	const left = locks();

	await stack.exec('app', 'sh', '-c', 'date +%N >>/data/file');
	const backing = stack.holdfast('backup', target);
	const running = async () =>
		(JSON.parse((await stack.holdfast('runs', '--json', '--limit', '5')).stdout) as RunView[]).find(({state}) => state === 'running')?.run;
	let run = '';
	await until('the backup to run', async () => {
		run = (await running()) ?? '';
		return run !== '';
	});
	for await (const event of stack.follow(run)) {
		t.not(event.type, 'finished', 'it waits');
		if (event.type === 'warning' && event.message.includes('`other-machine`')) {
			t.regex(event.message, /in use by `other-machine` \(process \d+, since .*\) alone: waiting for it/);
			break;
		}
	}

	const unlocked = JSON.parse((await stack.holdfast('unlock', '--json')).stdout) as Unlocked;
	t.deepEqual(unlocked.removed, []);
	t.true(unlocked.left.some(({host, exclusive}) => host === 'other-machine' && exclusive));
	t.true(locks().includes(left[0] ?? ''), 'it is nobody else’s to remove');

	const plain = async (...argv: string[]) => stack.exec('holdfast', 'restic', '--repo', '/repository', '--no-cache', ...argv);
	await plain('unlock', '--remove-all');
	const {exitCode, stderr} = await backing;
	t.is(exitCode, 0, stderr);
	t.regex(await plain('check', '--read-data'), /no errors were found/);
});
