/** The disk of /state is full, and the agent dies in the middle of a run: all is put back, what is asked is answered rightly, and no run begins until there is room. Lane: waits. Turns: endings. */
import test from 'ava';
import type {Finding} from '../../../base/shapes/targets.ts';
import {docker} from '../../support/docker.ts';
import {freeState, smallState, stateDisk} from '../../support/laws/full-state.ts';
import {heldOpen, runUntil, untilPlanned} from '../../support/laws/held-open.ts';
import {type Scene, states} from '../../support/laws/kills.ts';
import {connect} from '../../support/stack/connect.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const token = 'a-token-for-the-tests-of-this-file';

test('with a full disk of its state, an agent that is killed in the window puts everything back when it is started again', async t => {
	t.timeout(15 * 60_000);
	const stack = await startStack(t, {
		volumes: ['data'],
		volumeOptions: smallState,
		holdfast: {environment: {HOLDFAST_API_TOKEN: token}},
		services: {
			...(await stateDisk()),
			...(await heldOpen()),
		},
	});
	const scene: Scene = {stack, token, target: `${stack.project}/writer`};
	const before = await states(scene);
	const agent = await connect(scene);
	await untilPlanned(scene);
	const first = await agent.result(await agent.start(scene.target));
	t.is(first.outcome, 'success', first.error);
	const run = await runUntil(scene, 'quiesce', 'stubborn');
	await stack.exec('disk', 'sh', '-c', 'cat /dev/zero >/full/filler || true');
	await docker(['kill', '--signal', 'KILL', stack.container('holdfast')]);
	await docker(['start', stack.container('holdfast')]);
	await until('everything to be put back', async () => (await states(scene)) === before, {timeout: 120_000});
	await stack.ready();

	const [status] = JSON.parse((await stack.holdfast('status', '--json')).stdout);
	t.like(status, {target: scene.target});
	const findings: Finding[] = JSON.parse((await stack.holdfast('doctor', '--json')).stdout);
	t.regex(findings.find(({subject}) => subject === 'state')?.message ?? '', /holdfast\.db` cannot be written: its disk is full/);
	t.false(
		findings.some(({message}) => /does not answer|could not be examined/.test(message)),
		JSON.stringify(findings),
	);
	const refused = await stack.holdfast('backup', scene.target);
	t.is(refused.exitCode, 1);
	t.regex(refused.stderr, /its disk is full.*make room/);

	await freeState(stack);
	const again = await connect(scene);
	t.is((await again.result(run)).outcome, 'failed');
	const last = await again.result(await again.start(scene.target));
	t.is(last.outcome, 'success', last.error);
	t.is(await states(scene), before);
});
