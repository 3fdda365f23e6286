/** An engine with `live-restore` that is killed and comes back with a new socket, which the agent's container does not see: it is started again, and puts back. Lane: waits. */
import test from 'ava';
import {startOwnEngine, withOwnEngine} from '../../support/stack/own-engine.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const testThere = await withOwnEngine(test);

testThere('what stood still when the engine died runs again, although the socket that is mounted is dead', async t => {
	t.timeout(10 * 60_000);
	const {engine, image} = await startOwnEngine(t, {options: ['--live-restore']});
	const stack = await startStack(t, {
		engine,
		holdfast: {restart: 'always'},
		volumes: ['data'],
		services: {
			app: {
				image,
				command: ['sleep', 'infinity'],
				init: true,
				volumes: ['data:/data'],
				labels: {'holdfast.enable': 'true', 'holdfast.quiesce': 'stop', 'holdfast.quiesce.with': 'slow'},
			},
			// It takes all of its time to end: the engine dies meanwhile
			slow: {image, command: ['sh', '-c', 'trap "" TERM; while :; do sleep 1; done'], stop_grace_period: '30s'},
		},
	});
	const going = stack.holdfast('backup', `${stack.project}/app`);
	await until('the application to be stopped', async () => (await stack.state('app')) === 'exited', {timeout: 120_000, interval: 50});
	await engine.kill();
	await engine.start();
	await going;
	t.is(await stack.state('app'), 'exited', 'live-restore starts nobody who had been stopped');
	const both = async () => (await Promise.all(['app', 'slow'].map(stack.state))).every(state => state === 'running');
	await until('both to run again', both, {timeout: 180_000});

	await until('the agent', async () => (await stack.holdfast('healthcheck')).exitCode === 0, {timeout: 60_000});
	const {stdout} = await stack.holdfast('points', `${stack.project}/app`, '--json');
	t.deepEqual(JSON.parse(stdout), [], 'what broke off is no point');
	const [backup] = await stack.backup(`${stack.project}/app`);
	t.is(backup?.outcome, 'success', backup?.error);
});
