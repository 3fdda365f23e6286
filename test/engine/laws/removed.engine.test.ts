/** An agent dies in the window, and what it had stopped is removed before it is back, as by a `docker system prune` of the night. Lane: waits. */
import test from 'ava';
import {docker} from '../../support/docker.ts';
import {startDeadMan} from '../../support/doubles/dead-man.ts';
import {heldOpen, runUntil} from '../../support/laws/held-open.ts';
import type {Scene} from '../../support/laws/kills.ts';
import {connect} from '../../support/stack/connect.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const token = 'a-token-for-the-tests-of-this-file';

test('what was stopped for a backup and is removed while the agent is dead is told as gone, not as put back', async t => {
	t.timeout(10 * 60_000);
	const service = await startDeadMan(t, '0.0.0.0');
	const stack = await startStack(t, {
		volumes: ['data'],
		services: await heldOpen(),
		holdfast: {
			extra_hosts: ['beside.test:host-gateway'],
			environment: {
				HOLDFAST_API_TOKEN: token,
				HOLDFAST_WEBHOOK_URL: service.address('..', 'beside.test').replace('/ping/..', '/hook'),
				HOLDFAST_WEBHOOK_FORMAT: 'ntfy',
			},
		},
	});
	const scene: Scene = {stack, token, target: `${stack.project}/writer`};
	const names = ['writer', 'stubborn'];
	const run = await runUntil(scene, 'quiesce', 'stubborn');
	await docker(['kill', '--signal', 'KILL', stack.container('holdfast')]);
	// The engine ends it by force, although nobody waits for that any more
	await until(
		'both to be stopped',
		async () => (await Promise.all(names.map(async name => stack.state(name)))).every(state => state === 'exited'),
		{timeout: 60_000},
	);
	await docker(['rm', ...names.map(name => stack.container(name))]);
	await docker(['start', stack.container('holdfast')]);
	await stack.ready();

	for (const name of names) {
		const told = await until(`${name} to be told`, () => service.posted.find(({body}) => body.includes(`\`${stack.container(name)}\``)), {
			timeout: 60_000,
		});
		t.regex(told.body, /was stopped for a run, and has been removed since.*docker compose up --detach/, name);
	}

	const agent = await connect(scene);
	t.is((await agent.result(run)).outcome, 'failed');
	t.false(service.posted.some(({body}) => body.includes('is put back')));
	t.notRegex(await stack.compose('logs', 'holdfast'), /was put back/);
	await stack.compose('up', '--detach');
	const {outcome, error} = await agent.result(await agent.start(scene.target));
	t.is(outcome, 'success', error);
});
