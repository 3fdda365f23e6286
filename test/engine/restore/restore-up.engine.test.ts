/** Up again: after a restore, a roll-back, an undo and a cold backup everything runs that ran before, however it starts. Lane: waits. Turns: restore. */
import test from 'ava';
import type {RestoreResult} from '../../../base/results.ts';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {observeBackup, warningsOf} from '../../support/stack/observe.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

let stack: Stack;
const teardowns: Array<() => unknown> = [];

test.before(async t => {
	t.timeout(5 * 60_000);
	const image = await ensureImage('holdfast-test/app:latest');
	const labels = {'holdfast.enable': 'true'};
	stack = await startStack(
		{teardown: undo => teardowns.push(undo)},
		{
			volumes: ['once', 'server', 'client'],
			services: {
				/** Ends at its start unless its data is good, and nobody restarts it. */
				once: {
					image,
					init: true,
					command: ['sh', '-c', 'grep -q bad /data/word && exit 1; exec sleep infinity'],
					volumes: ['once:/data'],
					labels,
				},
				/** Serves what its client needs, some seconds after its start. */
				server: {
					image,
					init: true,
					command: ['sh', '-c', 'rm -f /tmp/serves; sleep 3; touch /tmp/serves; exec sleep infinity'],
					healthcheck: {test: ['CMD', 'test', '-e', '/tmp/serves'], interval: '1s', start_period: '20s'},
					volumes: ['server:/data'],
					labels: {'holdfast.enable': 'true', 'holdfast.group': 'pair'},
				},
				/** Cannot start without it, and ends once before it comes up. */
				client: {
					image,
					init: true,
					restart: 'always',
					command: ['sh', '-c', 'test -e /data/tried || { touch /data/tried; exit 1; }; rm /data/tried; exec sleep infinity'],
					depends_on: {server: {condition: 'service_healthy'}},
					volumes: ['client:/data'],
					labels: {'holdfast.enable': 'true', 'holdfast.group': 'pair'},
				},
			},
		},
	);
});

test.after.always(async () => {
	for (const undo of teardowns.toReversed()) {
		await undo();
	}
});

const put = async (word: string) => stack.exec('once', 'sh', '-c', `echo ${word} >/data/word`);
const word = async () => stack.exec('once', 'cat', '/data/word');

test.serial('without a restart policy: the container that ended on the restored data runs again on its own', async t => {
	const target = `${stack.project}/once`;
	await put('bad');
	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);
	await put('good');

	const result = await stack.restore(target);
	t.is(result.outcome, 'failed');
	t.regex(result.error ?? '', /what was there before is back.*is exited \(exit code 1\)/);
	t.is(await stack.state('once'), 'running');
	t.is(await word(), 'good');
});

test.serial('an undo starts what ran before the restore, and has ended since', async t => {
	const target = `${stack.project}/once`;
	await put('better');
	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);
	await put('best');
	const restored = await stack.restore(target);
	t.is(restored.outcome, 'success', restored.error);
	await docker(['kill', stack.container('once')]);
	await until('it is down', async () => (await stack.state('once')) === 'exited');
	const {stdout} = await stack.holdfast('restore', 'undo', restored.run, '--json');
	const undone = JSON.parse(stdout) as RestoreResult;
	t.is(undone.outcome, 'success', undone.error);
	t.is(await stack.state('once'), 'running');
	t.is(await word(), 'best');
});

test.serial('a cold backup and a restore wait for a slow start, and for one that exits once', async t => {
	t.timeout(5 * 60_000);
	const target = `${stack.project}/pair`;
	const started = async (service: string) =>
		Date.parse(await docker(['inspect', '--format', '{{.State.StartedAt}}', stack.container(service)]));
	await until('the client runs', async () => (await stack.state('client')) === 'running');
	const {stdout} = await stack.holdfast('backup', '--cold', target, '--json');
	const backup = JSON.parse(stdout) as RestoreResult;
	t.is(backup.outcome, 'success', backup.error);
	t.is(await stack.state('client'), 'running');
	t.true((await started('client')) - (await started('server')) > 2500, 'the client is started when the server is healthy');

	const restored = await stack.restore(target);
	t.is(restored.outcome, 'success', restored.error);
	t.is(await stack.state('client'), 'running');
});

test.serial(
	'one that restarts over and over: stopped and put back in a cold backup; else the outcome says what its files may be',
	async t => {
		const image = await ensureImage('holdfast-test/app:latest');
		const name = `${stack.project}-crashing`;
		await docker([
			'run',
			'--detach',
			'--name',
			name,
			'--restart=always',
			'--label=holdfast-test=up',
			`--label=com.docker.compose.project=${stack.project}`,
			'--label=com.docker.compose.service=crashing',
			`--volume=${stack.project}_once:/data`,
			image,
			'sh',
			'-c',
			'exit 1',
		]);
		teardowns.push(() => docker(['rm', '--force', name]).catch(() => {}));
		// The pause between two tries doubles, and begins anew with each start by hand. At the beginning of a long one it is met for sure.
		const untilLong = async () =>
			until(
				'the engine waits long',
				async () => {
					const [count, state, ended = ''] = (
						await docker(['inspect', '--format', '{{.RestartCount}} {{.State.Status}} {{.State.FinishedAt}}', name])
					).split(' ');
					return Number(count) >= 8 && state === 'restarting' && Date.now() - Date.parse(ended) < 2000;
				},
				{timeout: 120_000, interval: 50},
			);
		await untilLong();
		const target = `${stack.project}/once`;
		const {stdout} = await stack.holdfast('backup', '--cold', target, '--json');
		const cold = JSON.parse(stdout) as RestoreResult;
		t.is(cold.outcome, 'success', cold.error);
		await untilLong();
		const {result, events} = await observeBackup(stack, target);
		t.is(result.outcome, 'success', result.error);
		t.regex(warningsOf(events).join(), /crashing` restarts over and over.*its files may be of different moments/);
		t.deepEqual(result.warnings, warningsOf(events));
	},
);
