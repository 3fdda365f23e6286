/** The repository goes away in a backup, in three ways: `docker stop` of the agent ends at once all the same, the exit says so, and the run is told as cancelled. Lane: waits. Turns: repository. */
import test from 'ava';
import type {BackupResult} from '../../../base/results.ts';
import type {RunView} from '../../../base/shapes/runs.ts';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

test('docker stop ends the agent at once while its repository is away, and the run that waited for it was cancelled', async t => {
	t.timeout(8 * 60_000);
	const stack = await startStack(t, {
		slowKey: true,
		volumes: ['data', 'served'],
		services: {
			app: {
				image: await ensureImage('holdfast-test/app:latest'),
				init: true,
				command: ['sleep', 'infinity'],
				volumes: ['data:/data'],
				labels: {'holdfast.enable': 'true', 'holdfast.before': '["sh", "-c", "while test -e /tmp/hold; do sleep 0.1; done"]'},
			},
			rest: {
				image: await ensureImage('holdfast-test/storage:latest'),
				init: true,
				// The container outlives the server, so that its name does, too
				command: [
					'sh',
					'-c',
					'while :; do test -e /tmp/closed || { rclone serve restic /data --addr :8080 & echo $$! >/tmp/pid; wait; }; sleep 0.1; done',
				],
				volumes: ['served:/data'],
				stop_grace_period: '1s',
			},
		},
		holdfast: {environment: {RESTIC_REPOSITORY: 'rest:http://rest:8080/', RESTIC_PASSWORD: 'canary'}},
	});
	const target = `${stack.project}/app`;
	const holdfast = stack.container('holdfast');
	const rest = stack.container('rest');
	await stack.exec('app', 'sh', '-c', 'head -c 1000000 /dev/urandom >/data/file');
	const [first] = await stack.backup(target);
	t.is(first?.outcome, 'success', first?.error);

	const stop = async (how: string) => {
		const begun = performance.now();
		await docker(['stop', '--time', '60', holdfast]);
		const took = performance.now() - begun;
		t.true(took < 20_000, `${how}: ${Math.round(took)} ms`);
		t.is(await docker(['inspect', '--format', '{{.State.ExitCode}}', holdfast]), '0', how);
		t.is(await stack.state('app'), 'running', how);
	};
	const ways: Array<{how: string; away: () => Promise<unknown>; back: () => Promise<unknown>}> = [
		{
			how: 'nobody listens',
			away: async () => stack.exec('rest', 'sh', '-c', 'touch /tmp/closed; kill $(cat /tmp/pid)'),
			back: async () => stack.exec('rest', 'rm', '/tmp/closed'),
		},
		{how: 'its name is unknown', away: async () => docker(['stop', rest]), back: async () => docker(['start', rest])},
		{how: 'it does not answer', away: async () => docker(['pause', rest]), back: async () => docker(['unpause', rest])},
	];
	for (const {how, away, back} of ways) {
		await stack.exec('app', 'touch', '/tmp/hold');
		const {body} = await stack.api('POST', '/api/v1/backup', {targets: [target]});
		const [{run = ''} = {}] = (body as {runs: Array<{run?: string}>}).runs;
		for await (const event of stack.follow(run)) {
			if (event.type === 'step' && event.step === 'before-hooks') {
				await away();
				await stack.exec('app', 'rm', '/tmp/hold');
			} else if (event.type === 'step' && event.step === 'quiesce') {
				break;
			}
		}

		await stop(`${how}, in a run`);
		await docker(['start', holdfast]);
		await until('the agent to be up', async () =>
			(await stack.compose('logs', '--no-log-prefix', '--tail', '3', 'holdfast')).includes('listening'),
		);
		await stop(`${how}, at its start`);
		await back();
		await docker(['start', holdfast]);
		await stack.ready();
		const view = JSON.parse((await stack.holdfast('runs', run, '--json')).stdout) as RunView & {result: BackupResult};
		t.like(view, {state: 'finished', outcome: 'failed', result: {point: null, error: 'the agent is shutting down'}}, how);
	}
});
