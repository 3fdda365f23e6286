/** A health check that is asked often while its container starts, and seldom afterwards (`start_interval`: engine 25 and later). Lane: waits. */
import test from 'ava';
import {ensureCurrentEngine} from '../../support/machine/current-engine.ts';
import {startOwnEngine, withOwnEngine} from '../../support/stack/own-engine.ts';
import {startStack} from '../../support/stack.ts';

const testThere = await withOwnEngine(test);

testThere('its dependents are started as soon as it is well, and a slow one is waited for through its start period', async t => {
	t.timeout(20 * 60_000);
	const {engine, image} = await startOwnEngine(t, {programs: await ensureCurrentEngine()});
	const app = {image, init: true, stop_grace_period: '1s'};
	const stack = await startStack(t, {
		engine,
		volumes: ['data'],
		services: {
			server: {
				...app,
				command: ['sh', '-c', 'rm -f /tmp/well; sleep 5; touch /tmp/well; exec sleep infinity'],
				volumes: ['data:/data'],
				labels: {'holdfast.enable': 'true', 'holdfast.quiesce': 'stop', 'holdfast.quiesce.with': 'web'},
				healthcheck: {test: ['CMD', 'test', '-e', '/tmp/well'], interval: '2m', retries: 1, start_period: '90s', start_interval: '1s'},
			},
			web: {
				...app,
				command: ['sh', '-c', 'exec sleep infinity'],
				depends_on: {server: {condition: 'service_healthy'}},
			},
		},
	});
	const target = `${stack.project}/server`;
	const started = async (service: string) =>
		Date.parse(await stack.docker(['inspect', '--format', '{{.State.StartedAt}}', stack.container(service)]));
	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);
	t.deepEqual(backup?.warnings ?? [], []);
	const apart = (await started('web')) - (await started('server'));
	t.log(`the dependent was started ${apart / 1000} s after it`);
	t.true(apart >= 5000 && apart < 45_000, 'once it was well, and not at the next of its usual checks');
	t.deepEqual([await stack.state('server'), await stack.state('web')], ['running', 'running']);
});
