/** A repository that may be only added to, on a server that refuses to remove anything; and one that can only be read. Lane: waits. Turns: repository. */
import test, {type ExecutionContext} from 'ava';
import type {RunEvent} from '../../../base/events.ts';
import type {BackupResult} from '../../../base/results.ts';
import type {Finding} from '../../../base/shapes/targets.ts';
import {ensureImage} from '../../support/images.ts';
import {type Stack, startStack} from '../../support/stack.ts';

const socket = '/var/run/docker.sock:/var/run/docker.sock';

const service = async () => ({
	image: await ensureImage('holdfast-test/app:latest'),
	entrypoint: ['sleep'],
	command: ['infinity'],
	volumes: ['data:/data'],
	labels: {'holdfast.enable': 'true', 'holdfast.volumes': 'true', 'holdfast.keep': 'last=2'},
});

const write = async ({exec}: Stack, content: string) => exec('app', 'sh', '-c', 'printf %s "$1" >/data/file', 'sh', content);

const read = async ({exec}: Stack) => exec('app', 'cat', '/data/file');

const warningsOf = async (stack: Stack, run: string): Promise<string[]> => {
	const events: RunEvent[] = [];
	for await (const event of stack.follow(run)) {
		events.push(event);
	}

	return events.flatMap(event => (event.type === 'warning' ? [event.message] : []));
};

const backup = async (t: ExecutionContext, stack: Stack): Promise<BackupResult & {told: string[]}> => {
	const [result] = await stack.backup('--all');
	t.is(result?.outcome, 'success', result?.error);
	return {...(result as BackupResult), told: await warningsOf(stack, result?.run ?? '')};
};

const findings = async (stack: Stack): Promise<Finding[]> => JSON.parse((await stack.holdfast('doctor', '--json')).stdout);

test('append-only: backups are successes, it is said once, and nobody removes anything', async t => {
	t.timeout(12 * 60_000);
	const storage = await ensureImage('holdfast-test/storage:latest');
	const stack = await startStack(t, {
		slowKey: true,
		services: {
			app: await service(),
			rest: {
				image: storage,
				init: true,
				command: ['rclone', 'serve', 'restic', '/data', '--addr', ':8080', '--append-only'],
				volumes: ['served:/data'],
				stop_grace_period: '1s',
			},
		},
		volumes: ['data', 'served'],
		holdfast: {environment: {RESTIC_REPOSITORY: 'rest:http://rest:8080/', RESTIC_PASSWORD: 'canary'}},
	});
	const points = async () => JSON.parse((await stack.holdfast('points', '--json')).stdout) as unknown[];

	await write(stack, 'one');
	const first = await backup(t, stack);
	t.is(first.told.filter(message => message.includes('append-only')).length, 1, first.told.join('\n'));
	for (const content of ['two', 'three', 'four']) {
		await write(stack, content);
		t.deepEqual((await backup(t, stack)).told, [], 'nothing is said each night');
	}

	t.is((await points()).length, 4, 'last=2 is somebody else’s');
	const served = await stack.exec('rest', 'sh', '-c', 'ls /data/snapshots | wc -l');
	// Of each backup: the manifest, the files, a first pass, and at most two that it was rewritten to.
	t.true(Number(served) <= 4 * 5, served);
	const found = await findings(stack);
	t.regex(found.find(({message}) => message.includes('append-only'))?.message ?? '', /belong to no point/);
	t.deepEqual(
		found.filter(({level, subject}) => level === 'error' && subject === 'repository'),
		[],
	);

	const restored = await stack.restore(`${stack.project}/app`, '--point', first.point ?? '');
	t.is(restored.outcome, 'success', restored.error);
	t.is(await read(stack), 'one');
	t.is((await stack.holdfast('restore', 'undo', restored.run, '--yes')).exitCode, 0);
	t.is(await read(stack), 'four');

	await stack.change({environment: {HOLDFAST_REPOSITORY_ACCESS: 'append-only'}});
	await stack.ready();
	const pruned = await stack.holdfast('prune');
	t.not(pruned.exitCode, 0);
	t.regex(pruned.stderr, /the repository is append-only/);
	await write(stack, 'five');
	t.deepEqual((await backup(t, stack)).told, []);
});

test('read-only: listed, exported and restored from, without a lock; what it writes over is acknowledged, and what it keeps beside comes back', async t => {
	t.timeout(12 * 60_000);
	const stack = await startStack(t, {services: {app: await service()}, volumes: ['data']});
	await write(stack, 'kept');
	const {point} = await backup(t, stack);
	await write(stack, 'later');

	const volumes = [socket, 'hf-repository:/repository:ro', 'hf-state:/state', 'hf-cache:/cache'];
	const planned = async () => JSON.parse((await stack.holdfast('restore', `${stack.project}/app`, '--dry-run', '--json')).stdout);
	// Without room for both, the files would be written in place
	await stack.change({volumes, environment: {HOLDFAST_RESTORE_MARGIN: '900TB'}});
	await stack.ready();
	t.regex((await planned()).acknowledge ?? '', /cannot be undone/);
	await stack.change({volumes});
	await stack.ready();
	t.is(JSON.parse((await stack.holdfast('points', '--json')).stdout)[0].point, point);
	t.regex((await findings(stack)).find(({subject, level}) => subject === 'repository' && level === 'warning')?.message ?? '', /read-only/);
	const [failed] = await stack.backup('--all');
	t.is(failed?.outcome, 'failed');
	t.regex(failed?.error ?? '', /read-only: nothing can be backed up to it \(its file system is: mount it for writing\)/);
	t.is((await planned()).acknowledge, null, 'what it replaces is kept beside');
	const restored = await stack.restore(`${stack.project}/app`);
	t.is(restored.outcome, 'success', restored.error);
	t.is(await read(stack), 'kept');
	t.is((await stack.holdfast('restore', 'undo', restored.run, '--yes')).exitCode, 0);
	t.is(await read(stack), 'later');
	t.is((await stack.holdfast('drill', `${stack.project}/app`)).exitCode, 0);
});
