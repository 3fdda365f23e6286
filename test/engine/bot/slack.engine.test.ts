/** Slack, spoken for real: the image, an agent, an engine, and a Slack that listens beside the test. */
import test, {type ExecutionContext} from 'ava';
import type {AuditView} from '../../../base/audit.ts';
import type {RunView} from '../../../base/shapes.ts';
import {allText, operator, restorer, second, viewer} from '../../support/bot.ts';
import {docker} from '../../support/docker.ts';
import {createFakeSlack, type FakeMessage, type FakeSlack, tokens} from '../../support/fake-slack.ts';
import {ensureImage} from '../../support/images.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

interface Scene {
	slack: FakeSlack;
	stack: Stack;
	target: string;
	big: string;
}

const patience = {timeout: 60_000, interval: 20};

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

async function begin(t: ExecutionContext): Promise<Scene> {
	const slack = await createFakeSlack({host: '0.0.0.0'});
	t.teardown(slack.close);
	const stack = await startStack(t, {
		services: {app: await volume('data', '1000'), big: await volume('bulk', '300000000')},
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

const replied = async (replies: readonly FakeMessage[], text: RegExp) =>
	until(`a reply with ${text}, of ${replies.map(({text: said}) => said)}`, () => replies.find(each => text.test(allText(each))), patience);

const posted = async ({slack}: Scene, text: RegExp) =>
	until(
		`a message with ${text}, of ${slack.messages.map(({text: said}) => said)}`,
		() => slack.messages.find(each => text.test(allText(each))),
		patience,
	);

const runs = async ({stack}: Scene) => JSON.parse((await stack.holdfast('runs', '--json')).stdout) as RunView[];

const content = async ({stack}: Scene) => stack.exec('app', 'cat', '/data/file');

/** Through the modals, and past the second person. Gives the message that ends it. */
async function restored(t: ExecutionContext, scene: Scene): Promise<FakeMessage> {
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

test('Slack: every command, a restore that a second person approves, undo, a Slack that goes away', async t => {
	const scene = await begin(t);
	const {slack, stack, target, big} = scene;

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

	for (const [text, expected] of [
		['', /app/],
		[`points ${target}`, new RegExp(run?.run ?? '')],
		['history', /backup of/],
		['doctor', /engine/],
		['help', /restore undo RUN/],
	] as const) {
		await replied((await slack.command(viewer, '/backup', text)).replies, expected);
	}

	await replied((await slack.command(restorer, '/backup', `export ${target}`)).replies, /holdfast export/);
	await replied((await slack.command(operator, '/backup', 'check')).replies, /is run/);
	await posted(scene, /check\* of .*success/);
	await slack.openHome(viewer);
	await until('the home tab', () => JSON.stringify(slack.homes.get(viewer.user) ?? '').includes(target), patience);
	await replied((await slack.command(viewer, '/backup', `now ${target}`)).replies, /role operator/);

	await stack.exec('app', 'sh', '-c', 'echo damaged >/data/file');
	const restore = await restored(t, scene);
	t.is(await content(scene), 'first');
	t.true(allText(restore).includes(`approved by <@${second.user}>`) && allText(restore).includes(`asked by <@${restorer.user}>`));
	await slack.press(restorer, restore, 'Undo');
	await until('it is undone', async () => (await content(scene)) === 'damaged', patience);
	await until('the buttons are gone', () => !allText(restore).includes('"Undo"'), patience);
	await until('the undo has ended', async () => (await runs(scene)).every(({state}) => state === 'finished'), patience);
	const again = await restored(t, scene);
	const restoreRun = /run `([^`]+)`/.exec(allText(again))?.[1] ?? '';
	await replied((await slack.command(restorer, '/restore', `finish ${restoreRun}`)).replies, /is run/);
	await until('it is let go', async () => (await runs(scene)).filter(({operation}) => operation === 'restore').length === 4, patience);
	await until('the finish has ended', async () => (await runs(scene)).every(({state}) => state === 'finished'), patience);
	await replied((await slack.command(restorer, '/restore', `undo ${restoreRun}`)).replies, /nothing that run|kept any more/);

	await slack.command(operator, '/backup', `now ${big}`);
	const acks: number[] = [];
	const isUnderWay = async () => (await runs(scene)).some(({target: name, state}) => name === big && state !== 'finished');
	await until('the big backup is under way', isUnderWay, patience);
	const [bigRun] = await runs(scene);
	const over = until(
		'it is over',
		() => slack.messages.find(each => each.text.includes(big) && /success|failed/.test(each.text)),
		patience,
	);
	let ended = false;
	void over.finally(() => {
		ended = true;
	});
	while (!ended && acks.length < 2000) {
		acks.push((await slack.command(viewer, '/backup', 'help')).ackMs);
	}

	await over;
	acks.sort((a, b) => a - b);
	const percentile = (share: number) => acks[Math.min(acks.length - 1, Math.floor(acks.length * share))] ?? Number.POSITIVE_INFINITY;
	t.log(
		`acknowledged while a backup ran: ${acks.length} commands, median ${percentile(0.5).toFixed(1)} ms, p99 ${percentile(0.99).toFixed(1)} ms, longest ${percentile(1).toFixed(1)} ms`,
	);
	t.true(acks.length > 20 && percentile(0.99) < 500);
	t.is((await runs(scene)).find(({run: id}) => id === bigRun?.run)?.outcome, 'success');

	await stack.exec('big', 'sh', '-c', 'head -c 300000000 /dev/urandom >/data/random');
	await slack.command(operator, '/backup', `now ${big}`);
	const cancelled = await until('a run to cancel', async () => (await runs(scene)).find(({state}) => state === 'running'), patience);
	await replied((await slack.command(operator, '/backup', `cancel ${cancelled.run}`)).replies, /is stopped/);
	await until('it is cancelled', async () => (await runs(scene)).find(({run: id}) => id === cancelled.run)?.outcome === 'failed', patience);
	t.is(await stack.state('big'), 'running');

	slack.fault = 'down';
	slack.drop();
	await until(
		'the metric says so',
		async () => /^holdfast_slack_connected 0$/m.test(String((await stack.api('GET', '/metrics')).body)),
		patience,
	);
	const [offline] = await stack.backup(target);
	t.is(offline?.outcome, 'success', offline?.error);
	slack.fault = '';
	const back = performance.now();
	await until('the bot is connected', () => slack.connections() === 1, {timeout: 5000, interval: 5});
	t.log(`connected ${Math.round(performance.now() - back)} ms after Slack's return`);
	await until(
		'the metric says so',
		async () => /^holdfast_slack_connected 1$/m.test(String((await stack.api('GET', '/metrics')).body)),
		patience,
	);

	const audit = JSON.parse((await stack.holdfast('audit', '--json')).stdout) as AuditView[];
	const rows = audit.map(({who, action, decision, outcome}) => `${who.replace(/^slack:T0HOME\//, '')} ${action} ${decision} ${outcome}`);
	for (const expected of [
		`${viewer.user} backup refused null`,
		`${restorer.user} restore allowed waits for 1 to approve`,
		`${second.user} approve allowed success`,
		`${restorer.user} undo allowed success`,
		`${restorer.user} finish allowed success`,
		`${operator.user} cancel allowed done`,
		'cli backup allowed success',
	]) {
		t.true(rows.includes(expected), `${expected}, of ${rows.join('; ')}`);
	}

	const names = await docker(['exec', stack.container('holdfast'), 'sh', '-c', 'grep -hE "^(Name|VmHWM)" /proc/[0-9]*/status']);
	const peaks = [...names.matchAll(/Name:\s+(?:node|MainThread)\S*\nVmHWM:\s+(\d+) kB/g)].map(([, peak]) => Number(peak) / 1024);
	t.log(`peak memory of the agent with its bot: ${Math.max(...peaks).toFixed(0)} MiB`);
	t.true(Math.max(...peaks) < 256);

	const logs = await docker(['logs', stack.container('holdfast')]);
	t.notRegex(logs, /nobody handled|xoxb-|xapp-/);
	t.deepEqual(slack.mistakes, []);
});
