/** Every wait has an end: a restic that hangs, an engine that is away, a container that is exchanged for another in the window. Lane: waits. */
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {findProcesses, runs, signalProcesses} from '../../support/machine/processes.ts';
import {observeBackup} from '../../support/stack/observe.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const app = async (labels: Record<string, string> = {}) => ({
	image: await ensureImage('holdfast-test/app:latest'),
	init: true,
	command: ['sleep', 'infinity'],
	volumes: ['data:/data'],
	labels: {'holdfast.enable': 'true', ...labels},
});

test('a restic that hangs, as on a dead mount, is ended, the step is named, and the next run is good', async t => {
	t.timeout(6 * 60_000);
	const stack = await startStack(t, {
		volumes: ['data'],
		services: {app: await app()},
		holdfast: {environment: {HOLDFAST_STALL_LIMIT: '20s'}},
	});
	const target = `${stack.project}/app`;
	await stack.exec('app', 'sh', '-c', 'echo content >/data/file');
	const isOurs = (argv: readonly string[]) => runs(argv, 'restic') && argv.includes('backup') && argv.some(word => word.includes(target));
	const hanging = stack.backup(target);
	await until('a backup of restic', () => signalProcesses('SIGSTOP', isOurs) > 0, {
		interval: 2,
		timeout: 60_000,
	});
	const [result] = await hanging;
	t.is(result?.outcome, 'failed');
	t.is(result?.point, null);
	t.regex(result?.error ?? '', /no progress for 20s in step `[a-z-]+`/);
	await until('nothing of it to be left', () => findProcesses(isOurs).length === 0, {timeout: 60_000});
	t.is(await stack.state('app'), 'running');
	const [next] = await stack.backup(target);
	t.is(next?.outcome, 'success', next?.error);
});

test('a container that is exchanged for another in the window was not at rest, and the message says by what kind of program', async t => {
	t.timeout(6 * 60_000);
	const services = {
		app: {...(await app({'holdfast.quiesce': 'stop', 'holdfast.quiesce.with': 'slow'})), depends_on: ['slow']},
		// Holds the window open until it is killed
		slow: {image: await ensureImage('holdfast-test/app:latest'), command: ['ignore-sigterm'], stop_grace_period: '4m'},
	};
	const stack = await startStack(t, {volumes: ['data'], services});
	const target = `${stack.project}/app`;
	const before = await docker(['inspect', '--format', '{{.Id}}', stack.container('app')]);
	const backUp = async (inTheWindow: () => Promise<unknown>) => {
		let isOpen = false;
		const {result} = await observeBackup(stack, target, async event => {
			if (event.type === 'step' && event.step === 'quiesce' && event.subject?.includes('slow') && !isOpen) {
				isOpen = true;
				await inTheWindow();
				await docker(['kill', stack.container('slow')]);
			}
		});
		return result;
	};
	const result = await backUp(async () => stack.compose('up', '--detach', '--force-recreate', '--no-deps', '--timeout', '0', 'app'));
	t.not(await docker(['inspect', '--format', '{{.Id}}', stack.container('app')]), before);
	t.is(result.outcome, 'failed', 'the exchange came in the window');
	t.regex(result.error ?? '', /Watchtower|autoheal/);
	t.is(await stack.state('app'), 'running');
	const next = await backUp(async () => {});
	t.is(next.outcome, 'success', next.error);
});

test('docker stop ends the agent at once while its engine is away, at its start and later', async t => {
	t.timeout(6 * 60_000);
	const proxy = fileURLToPath(new URL('../../support/doubles/socket-proxy.ts', import.meta.url));
	const image = await ensureImage('holdfast-test/app:latest');
	const stack = await startStack(t, {
		volumes: ['data'],
		services: {
			app: await app(),
			proxy: {
				image,
				init: true,
				stop_grace_period: '1s',
				entrypoint: ['node', '--disable-warning=ExperimentalWarning', '/socket-proxy.ts'],
				volumes: ['/var/run/docker.sock:/var/run/docker.sock', `${proxy}:/socket-proxy.ts:ro`],
			},
		},
		holdfast: {
			volumes: ['hf-repository:/repository', 'hf-state:/state', 'hf-cache:/cache'],
			environment: {DOCKER_HOST: 'tcp://proxy:2375'},
			depends_on: ['proxy'],
		},
	});
	const holdfast = stack.container('holdfast');
	const assertEndsAtOnce = async (when: string) => {
		const begun = Date.now();
		await docker(['stop', '--time', '60', holdfast]);
		t.true(Date.now() - begun < 30_000, `${when}: ${Date.now() - begun} ms`);
		t.not(await docker(['inspect', '--format', '{{.State.ExitCode}}', holdfast]), '137', when);
	};

	await stack.compose('stop', 'proxy');
	await assertEndsAtOnce('later');
	await docker(['start', holdfast]);
	await until(
		'the log says what it waits for',
		async () => /engine does not answer/.test(await stack.compose('logs', '--no-log-prefix', '--tail', '5', 'holdfast')),
		{
			timeout: 60_000,
		},
	);
	await assertEndsAtOnce('at its start');
});
