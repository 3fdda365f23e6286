/** A port that is taken keeps nobody stopped, and no backup from being made. Lane: waits. */
import test from 'ava';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const taker = `require('node:http').createServer((_, response) => response.end()).listen(9797)`;

test('an agent whose port is taken puts back what its former life left, backs up, and answers when it can', async t => {
	t.timeout(8 * 60_000);
	const image = await ensureImage('holdfast-test/app:latest');
	const stack = await startStack(t, {
		volumes: ['data'],
		services: {
			// Its network is the agent's, as the host's is with `network_mode: host`
			net: {
				image: process.env.HOLDFAST_TEST_IMAGE ?? 'holdfast:dev',
				init: true,
				entrypoint: ['sleep', 'infinity'],
				healthcheck: {disable: true},
			},
			app: {
				image,
				stop_grace_period: '30s',
				command: [
					'sh',
					'-c',
					`trap 'touch /data/stopping; sleep 3; exit 0' TERM; rm -f /data/stopping; echo word >/data/word; while :; do sleep 0.2; done`,
				],
				volumes: ['data:/data'],
				labels: {'holdfast.enable': 'true', 'holdfast.quiesce': 'stop', 'holdfast.schedule': '* * * * *'},
			},
		},
		holdfast: {network_mode: 'service:net'},
	});
	const isStopping = async () => (await stack.exec('app', 'sh', '-c', 'test ! -e /data/stopping || echo yes')) === 'yes';
	void stack.backup(`${stack.project}/app`).catch(() => {});
	await until('it is being stopped', isStopping, {interval: 50, timeout: 90_000});
	await docker(['kill', stack.container('holdfast')]);
	await until('it to be down', async () => (await stack.state('app')) === 'exited');
	await docker(['exec', '--detach', stack.container('net'), 'node', '-e', taker]);
	await until(
		'the port to be taken',
		async () =>
			(await stack.exec('net', 'node', '-e', `fetch('http://127.0.0.1:9797').then(({status}) => console.log(status), () => {})`)) === '200',
	);

	const points = async () => (await stack.restic('snapshots', '--json').catch(() => '')).match(/source:volume:\/data/g)?.length ?? 0;
	const since = new Date().toISOString();
	await docker(['start', stack.container('holdfast')]);
	await until('it to be put back', async () => (await stack.state('app')) === 'running');
	const log = async () => docker(['logs', '--since', since, stack.container('holdfast')]);
	await until('it to say why nobody is answered', async () => /HOLDFAST_LISTEN is tried again.*EADDRINUSE/.test(await log()));
	const before = await points();
	await until('what is due to be backed up', async () => (await points()) > before, {timeout: 150_000});
	t.is(await stack.state('holdfast'), 'running');

	await stack.exec('net', 'sh', '-c', 'kill $(grep -l createServe[r] /proc/[0-9]*/cmdline | cut -d / -f 3)').catch(() => {});
	await until('it to answer', async () => (await stack.holdfast('healthcheck')).exitCode === 0, {timeout: 60_000});
	t.regex(await log(), /listening at/);
});
