/**
 * Compose or Watchtower makes the agent's own container anew in the middle of a run: by a recreation, with another image, under another name on another
 * network. The new one has the state of the old one, and puts back what that held still. Lane: waits.
 */
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import {docker} from '../../support/docker.ts';
import {heldOpen, runUntil} from '../../support/laws/held-open.ts';
import {leftOf, type Scene, states} from '../../support/laws/kills.ts';
import {connect} from '../../support/stack/connect.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const token = 'a-token-for-an-agent-that-is-recreated';
const image = process.env.HOLDFAST_TEST_IMAGE ?? 'holdfast:dev';

async function start(t: ExecutionContext): Promise<Scene> {
	t.timeout(15 * 60_000);
	const stack = await startStack(t, {
		volumes: ['data'],
		networks: ['aside'],
		services: await heldOpen(),
		holdfast: {environment: {HOLDFAST_API_TOKEN: token}},
	});
	return {stack, token, target: `${stack.project}/writer`};
}

const agentOf = async ({docker: onEngine, container}: Stack) => onEngine(['inspect', '--format', '{{.Id}}', container('holdfast')]);

/** A backup is under way, with what it stops half stopped, when the agent is made anew. */
async function assertOutlives(t: ExecutionContext, scene: Scene, what: string, recreate: () => Promise<unknown>): Promise<void> {
	const {stack, target} = scene;
	const [before, old] = [await states(scene), await agentOf(stack)];
	const run = await runUntil(scene, 'quiesce', 'stubborn');
	await recreate();
	await stack.ready();
	t.not(await agentOf(stack), old, what);
	await until(`${what}: all to run as before`, async () => (await states(scene)) === before, {timeout: 120_000});
	await until(`${what}: the workers of the old one to go`, async () => (await leftOf(run)) === '', {timeout: 120_000});
	const agent = await connect(scene);
	const {outcome, error} = await agent.result(run);
	t.is(outcome, 'failed', what);
	t.log(`${what}: ${error}`);
	const next = await agent.result(await agent.start(target));
	t.is(next.outcome, 'success', `${what}: ${next.error}`);
	t.is(await states(scene), before, what);
	const {body} = await stack.api('GET', '/api/v1/doctor');
	t.notRegex(JSON.stringify(body), /another agent|agent of this engine/, what);
}

test('the agent is recreated in the middle of a backup, with time to end or without', async t => {
	const scene = await start(t);
	const {stack} = scene;
	const anew = async (seconds: number) =>
		stack.compose('up', '--detach', '--no-deps', '--force-recreate', '--timeout', String(seconds), 'holdfast');
	await assertOutlives(t, scene, 'with time to end', async () => anew(60));
	await assertOutlives(t, scene, 'killed at once', async () => anew(0));
});

test('the agent is recreated with another image, and then with another host name in another network', async t => {
	const scene = await start(t);
	const {stack} = scene;
	const other = `${stack.project}-image`;
	t.teardown(async () => docker(['image', 'rm', '--force', other]));
	await execa('docker', ['build', '--quiet', '--tag', other, '-'], {input: `FROM ${image}\nLABEL holdfast-test=${stack.project}\n`});
	// What is killed at once has no time to put anything back
	const killed = {stop_grace_period: '0s'};
	await stack.change(killed);
	await stack.ready();
	await assertOutlives(t, scene, 'another image', async () => stack.change({...killed, image: other}));
	// Watchtower gives the new one the host name of the old one: its id
	const moved = {...killed, image: other, hostname: (await agentOf(stack)).slice(0, 12), networks: ['aside']};
	await assertOutlives(t, scene, 'another network', async () => stack.change(moved));
});
