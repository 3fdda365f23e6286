/** A stack whose agent speaks with a Slack beside the test. */
import type {ExecutionContext} from 'ava';
import type {AuditView} from '../../../base/audit.ts';
import type {RunView} from '../../../base/shapes/runs.ts';
import {docker} from '../docker.ts';
import {allText, operator, restorer, second, viewer} from '../doubles/bot.ts';
import {createFakeSlack, type FakeMessage, type FakeSlack, tokens} from '../doubles/fake-slack.ts';
import {ensureImage} from '../images.ts';
import {type Stack, startStack} from '../stack.ts';
import {until} from '../until.ts';

interface Scene {
	slack: FakeSlack;
	stack: Stack;
	target: string;
	big: string;
}

export const patience = {timeout: 60_000, interval: 20};

const volume = async (name: string, size: string) => ({
	image: await ensureImage('debian:trixie-slim'),
	command: [
		'sh',
		'-c',
		`[ -e /data/file ] || { echo first >/data/file; head -c ${size} /dev/urandom >/data/random; }; touch /tmp/ready; exec sleep 3600`,
	],
	healthcheck: {test: ['CMD', 'test', '-e', '/tmp/ready'], interval: '1s', retries: 60},
	init: true,
	stop_grace_period: '1s',
	volumes: [`${name}:/data`],
	labels: {'holdfast.enable': 'true', ...(name === 'data' ? {'holdfast.restore.warning': 'user ids must <!channel> *still* match'} : {})},
});

/** An application, a big one beside it, and a Slack that the agent's own bot is connected to. */
export async function begin(t: ExecutionContext, {bulk}: {bulk: number}): Promise<Scene> {
	const slack = await createFakeSlack({host: '0.0.0.0'});
	t.teardown(slack.close);
	const stack = await startStack(t, {
		services: {app: await volume('data', '1000'), big: await volume('bulk', String(bulk))},
		volumes: ['data', 'bulk'],
		holdfast: {
			extra_hosts: ['slack.test:host-gateway'],
			environment: {
				SLACK_BOT_TOKEN: tokens.bot,
				SLACK_APP_TOKEN: tokens.app,
				HOLDFAST_SLACK_API_URL: slack.url('slack.test'),
				HOLDFAST_SLACK_CHANNEL: 'C0MAIN',
				HOLDFAST_SLACK_OPERATORS: operator.user,
				HOLDFAST_SLACK_RESTORERS: `${restorer.user},${second.user}`,
				HOLDFAST_SLACK_APPROVALS: '2',
			},
		},
	});
	await stack.compose('up', '--detach', '--wait', 'app', 'big');
	await until('the bot is connected', () => slack.connections() === 1, patience);
	return {slack, stack, target: `${stack.project}/app`, big: `${stack.project}/big`};
}

export const replied = async (replies: readonly FakeMessage[], text: RegExp) =>
	until(`a reply with ${text}, of ${replies.map(({text: said}) => said)}`, () => replies.find(each => text.test(allText(each))), patience);

export const posted = async ({slack}: Scene, text: RegExp) =>
	until(
		`a message with ${text}, of ${slack.messages.map(({text: said}) => said)}`,
		() => slack.messages.find(each => text.test(allText(each))),
		patience,
	);

export const runs = async ({stack}: Scene) => JSON.parse((await stack.holdfast('runs', '--json')).stdout) as RunView[];

const content = async ({stack}: Scene) => stack.exec('app', 'cat', '/data/file');

/** Through the modals, and past the second person. Gives the message that ends it. */
export async function restored(t: ExecutionContext, scene: Scene): Promise<FakeMessage> {
	const {slack, target} = scene;
	const before = slack.views.size;
	await slack.command(restorer, '/restore', target);
	const modal = await until('the modal', () => [...slack.views.values()][before], patience);
	await until('the choice', () => modal.view.callback_id === 'choose', patience);
	await slack.submit(restorer, modal, {});
	await until(`the confirmation, not ${JSON.stringify(modal.view)}`, () => modal.view.callback_id === 'confirm', patience);
	t.true(JSON.stringify(modal.view).includes('user ids must &lt;!channel&gt; *still* match'));
	t.deepEqual(Object.keys((await slack.submit(restorer, modal, {confirm: target})).answer?.errors ?? {}), ['warned']);
	await slack.submit(restorer, modal, {confirm: target, warned: 'yes'});
	const approval = await until('the approval', () => slack.messages.find(each => allText(each).includes('"Approve"')), patience);
	t.is(await content(scene), 'damaged', 'nothing happens before it is approved');
	const known = slack.messages.length;
	await slack.press(second, approval, 'Approve');
	return until(
		'the restore has succeeded',
		() => slack.messages.slice(known).find(each => /restore\* of .*success/.test(allText(each))),
		patience,
	);
}

/** A command that Slack delivers twice, and one of somebody who may not. @returns the run */
export async function backedUpOnce(t: ExecutionContext, scene: Scene): Promise<string> {
	const {slack, stack, target} = scene;
	await slack.command(operator, '/backup', `now ${target}`);
	await slack.again();
	const done = await posted(scene, /backup\* of .*success/);
	const [run, ...others] = await runs(scene);
	t.deepEqual(
		[run?.trigger, run?.outcome, others.length],
		[`slack:${operator.user}`, 'success', 0],
		'one run, though Slack delivered twice',
	);
	t.true((JSON.parse(await stack.restic('snapshots', '--json', '--tag', `run:${run?.run}`)) as unknown[]).length >= 2, 'data and manifest');
	await until('the thread', () => slack.messages.some(({thread}) => thread === done.ts), patience);
	await replied((await slack.command(viewer, '/backup', `now ${target}`)).replies, /role operator/);
	return run?.run ?? '';
}

export async function restoredAndUndone(t: ExecutionContext, scene: Scene): Promise<void> {
	const {slack, stack} = scene;
	await stack.exec('app', 'sh', '-c', 'echo damaged >/data/file');
	const restore = await restored(t, scene);
	t.is(await content(scene), 'first');
	t.true(allText(restore).includes(`approved by <@${second.user}>`) && allText(restore).includes(`asked by <@${restorer.user}>`));
	const known = slack.messages.length;
	await slack.press(restorer, restore, 'Undo');
	const asked = () => slack.messages.slice(known).find(each => allText(each).includes('"Approve"'));
	const approval = await until('the undo to need a second person, too', asked, patience);
	t.is(await content(scene), 'first');
	await slack.press(second, approval, 'Approve');
	await until('it is undone', async () => (await content(scene)) === 'damaged', patience);
	await until('the buttons are gone', () => !allText(approval).includes('"Approve"'), patience);
	await until('the undo has ended', async () => (await runs(scene)).every(({state}) => state === 'finished'), patience);
}

/** Who did what stands in the journal; nothing was left unhandled, and no secret told. */
export async function assertTold(t: ExecutionContext, {slack, stack}: Scene, expected: readonly string[]): Promise<void> {
	const audit = JSON.parse((await stack.holdfast('audit', '--json')).stdout) as AuditView[];
	const rows = audit.map(({who, action, decision, outcome}) => `${who.replace(/^slack:T0HOME\//, '')} ${action} ${decision} ${outcome}`);
	for (const row of expected) {
		t.true(rows.includes(row), `${row}, of ${rows.join('; ')}`);
	}

	const logs = await docker(['logs', stack.container('holdfast')]);
	t.notRegex(logs, /nobody handled|xoxb-|xapp-/);
	t.deepEqual(slack.mistakes, []);
}
