/** Who lives in another's network is up again with it, and nobody of ours takes an address that an application has for its own. Lane: works. Turns: docker. */
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {ensureImage} from '../../support/images.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const enable = {'holdfast.enable': 'true'};

/** `eth0` is in the list of a container that has a network, `lo` alone in that of one whose network's owner was exchanged. */
const isConnected = async (stack: Stack, service: string) => (await stack.exec(service, 'cat', '/proc/net/dev')).includes('eth0:');

test('in the network of a VPN: stopped with it, started after it, and connected', async t => {
	t.timeout(8 * 60_000);
	const app = {image: await ensureImage('holdfast-test/app:latest'), init: true, command: ['sleep', 'infinity']};
	const stack = await startStack(t, {
		volumes: ['data', 'torrent'],
		services: {
			vpn: {...app, volumes: ['data:/gluetun'], labels: {...enable, 'holdfast.quiesce': 'stop'}},
			torrent: {...app, network_mode: 'service:vpn', volumes: ['torrent:/data'], labels: enable},
			helper: {...app, network_mode: 'service:vpn', pid: 'service:torrent'},
			restarted: {...app, depends_on: {vpn: {condition: 'service_started', restart: true}}},
		},
	});
	const target = `${stack.project}/vpn`;
	const started = async (service: string) =>
		Date.parse(await stack.docker(['inspect', '--format', '{{.State.StartedAt}}', stack.container(service)]));
	const assertUp = async (since: number, what: string) => {
		for (const service of ['vpn', 'torrent', 'helper', 'restarted']) {
			t.is(await stack.state(service), 'running', `${service} ${what}`);
			t.true(await isConnected(stack, service), `${service} ${what}`);
			t.true((await started(service)) >= since, `${service} ${what}`);
		}

		t.true((await started('torrent')) >= (await started('vpn')), what);
		t.true((await started('helper')) >= (await started('torrent')), what);
	};

	t.true(await isConnected(stack, 'torrent'));
	await stack.exec('vpn', 'sh', '-c', 'echo good >/gluetun/word');
	let since = Date.now();
	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);
	await assertUp(since, 'after a backup');

	since = Date.now();
	const cold = await stack.holdfast('backup', '--cold', target);
	t.is(cold.exitCode, 0, cold.stderr);
	await assertUp(since, 'after a cold backup');

	await stack.exec('vpn', 'sh', '-c', 'echo bad >/gluetun/word');
	since = Date.now();
	const restored = await stack.restore(target);
	t.is(restored.outcome, 'success', restored.error);
	await assertUp(since, 'after a restore');
	t.is(await stack.exec('vpn', 'cat', '/gluetun/word'), 'good');

	since = Date.now();
	const undone = await stack.holdfast('restore', 'undo', restored.run);
	t.is(undone.exitCode, 0, undone.stderr);
	await assertUp(since, 'after an undo');

	const [paused] = await stack.backup(`${stack.project}/torrent`);
	t.is(paused?.outcome, 'success', paused?.error);
	t.true((await started('vpn')) < Date.parse(paused?.startedAt ?? ''), 'a backup of who lives there disturbs nobody');
});

test('who lives in what was exchanged, or does not run, is seen before it is stopped', async t => {
	t.timeout(8 * 60_000);
	const app = {image: await ensureImage('holdfast-test/app:latest'), init: true, command: ['sleep', 'infinity']};
	const labels = {...enable, 'holdfast.quiesce': 'stop'};
	const stack = await startStack(t, {
		volumes: ['torrent'],
		services: {
			vpn: app,
			torrent: {...app, network_mode: 'service:vpn', volumes: ['torrent:/data'], labels},
		},
	});
	const target = `${stack.project}/torrent`;
	await stack.exec('torrent', 'sh', '-c', 'echo good >/data/word');
	const [whole] = await stack.backup(target);
	t.is(whole?.outcome, 'success', whole?.error);
	const started = async () => stack.docker(['inspect', '--format', '{{.State.StartedAt}} {{.State.Status}}', stack.container('torrent')]);
	const assertSeen = async (what: RegExp, wayOut: RegExp) => {
		const before = await started();
		const plan = await stack.holdfast('plan', target);
		t.regex(plan.stdout, what);
		const doctor = await stack.holdfast('doctor');
		t.regex(doctor.stdout, wayOut);
		const [backup] = await stack.backup(target);
		t.is(backup?.outcome, 'success', backup?.error);
		const cold = await stack.holdfast('backup', '--cold', target);
		t.is(cold.exitCode, 0, cold.stderr);
		const restore = await stack.holdfast('restore', target, '--yes');
		t.not(restore.exitCode, 0);
		t.regex(restore.stderr, wayOut);
		t.is(await started(), before, 'nobody stopped it');
	};

	await stack.compose('stop', '--timeout', '1', 'vpn');
	await assertSeen(/paused, not stopped: container .*-vpn-1`, in whose .* it lives, does not run \(exited\)/, /docker start .*-vpn-1/);

	await stack.compose('up', '--detach', '--no-deps', '--force-recreate', '--timeout', '1', 'vpn');
	await assertSeen(/paused, not stopped: the container in whose .* it lives was replaced/, /--force-recreate torrent/);

	await stack.compose('up', '--detach', '--no-deps', '--force-recreate', '--timeout', '1', 'torrent');
	t.true(await isConnected(stack, 'torrent'));
	t.is((await stack.restore(target)).outcome, 'success');
	await stack.docker(['restart', '--time', '1', stack.container('vpn')]);
	t.regex((await stack.holdfast('doctor')).stdout, /started anew since: it may be cut off.*docker restart .*-torrent-1/s);
});

test('who has a file of the host that is not there any more is not stopped', async t => {
	t.timeout(5 * 60_000);
	const folder = await mkdtemp(join(tmpdir(), 'holdfast-file-'));
	t.teardown(async () => rm(folder, {recursive: true, force: true}));
	const file = join(folder, 'app.conf');
	await writeFile(file, 'a=b');
	const stack = await startStack(t, {
		volumes: ['data'],
		services: {
			app: {
				image: await ensureImage('holdfast-test/app:latest'),
				init: true,
				command: ['sleep', 'infinity'],
				volumes: ['data:/data', {type: 'bind', source: file, target: '/etc/app.conf', read_only: true}],
				labels: {...enable, 'holdfast.quiesce': 'stop', 'holdfast.volumes': '/data'},
			},
		},
	});
	const target = `${stack.project}/app`;
	const started = async () => stack.docker(['inspect', '--format', '{{.State.StartedAt}} {{.State.Status}}', stack.container('app')]);
	await rm(file);
	const before = await started();
	const planned = async () => (await stack.holdfast('plan', target)).stdout.replaceAll(/\s+/g, ' ');
	// Where folders of the host lead is looked at once a minute.
	const seen = /paused, not stopped: there is nothing any more at ".*app\.conf"/;
	await until('the plan to say so', async () => seen.test(await planned()), {timeout: 120_000});
	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);
	t.regex((await stack.holdfast('restore', target, '--yes')).stderr, /must be stopped, and there is nothing any more at/);
	t.is(await started(), before);
});

test('a static address is there for who has it, however small the network and whoever else is backed up meanwhile', async t => {
	t.timeout(8 * 60_000);
	const image = await ensureImage('holdfast-test/app:latest');
	// The engine gives no network one of these by itself
	const subnet = `10.213.${Math.floor(Math.random() * 200)}.0/29`;
	const address = subnet.replace('0/29', '6');
	const slow = ['sh', '-c', "trap 'sleep 5; exit' TERM; while :; do sleep 1 & wait $$!; done"];
	const stack = await startStack(t, {
		volumes: ['data', 'large'],
		subnet,
		services: {
			app: {
				image,
				command: slow,
				stop_grace_period: '20s',
				networks: {default: {ipv4_address: address}},
				volumes: ['data:/data'],
				labels: {...enable, 'holdfast.quiesce': 'stop'},
			},
			other: {image, init: true, command: ['sleep', 'infinity'], volumes: ['large:/data'], labels: enable},
			...Object.fromEntries(['one', 'two'].map(name => [name, {image, init: true, command: ['sleep', 'infinity']}])),
		},
	});
	await stack.exec('other', 'sh', '-c', 'head -c 100000000 /dev/urandom >/data/large');
	const first = stack.backup(`${stack.project}/app`);
	await until('it is being stopped', async () => (await stack.state('app')) !== 'running', {interval: 20, timeout: 60_000});
	const [other] = await stack.backup(`${stack.project}/other`);
	const [app] = await first;
	t.deepEqual([app?.outcome, app?.error, other?.outcome, other?.error], ['success', undefined, 'success', undefined]);
	t.is(await stack.state('app'), 'running');
	t.is(
		await stack.docker([
			'inspect',
			'--format',
			`{{(index .NetworkSettings.Networks "${stack.project}_default").IPAddress}}`,
			stack.container('app'),
		]),
		address,
	);
});
