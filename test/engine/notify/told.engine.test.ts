/** Who should hear of it does: a dead man's switch, a webhook and Slack, of what failed, what hangs and what the recovery of a killed agent found. Lane: waits. */
import test from 'ava';
import {rollBackTrigger} from '../../../base/results.ts';
import type {RunView} from '../../../base/shapes/runs.ts';
import type {StatusView} from '../../../base/shapes/targets.ts';
import {allText} from '../../support/doubles/bot.ts';
import {startDeadMan} from '../../support/doubles/dead-man.ts';
import {createFakeSlack, tokens} from '../../support/doubles/fake-slack.ts';
import {ensureImage} from '../../support/images.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const patience = {timeout: 120_000, interval: 100};

/** Due two hours ago, and not again before this test is long over. */
const daily = `0 ${(new Date().getUTCHours() + 22) % 24} * * *`;

/** Runs on the agent's state while the agent is away: all that was backed up was so three days ago. */
const longAgo = `
	const database = new (require('node:sqlite').DatabaseSync)('/state/holdfast.db');
	const days = 3 * 24 * 3600 * 1000;
	database.prepare("update runs set queued_at = queued_at - ?, started_at = started_at - ?, finished_at = finished_at - ?").run(days, days, days);
	database.prepare('update targets set first_seen = first_seen - ?').run(days);
	database.close();`;

test('failures, roll-backs, recoveries and what hangs are told, each once, and taken back', async t => {
	t.timeout(14 * 60_000);
	const slack = await createFakeSlack({host: '0.0.0.0'});
	t.teardown(slack.close);
	const service = await startDeadMan(t, '0.0.0.0');
	const stack = await startStack(t, {
		volumes: ['data'],
		services: {
			app: {
				image: await ensureImage('holdfast-test/app:latest'),
				init: true,
				stop_grace_period: '1s',
				command: ['sh', '-c', 'grep -q bad /data/word && exit 1; exec sleep infinity'],
				volumes: ['data:/data'],
				labels: {
					'holdfast.enable': 'true',
					'holdfast.schedule': daily,
					'holdfast.before': '["sh", "-c", "test ! -e /tmp/fail || exit 7; while test -e /tmp/hang; do sleep 0.2; done"]',
					'holdfast.before.timeout': '1h',
					'holdfast.restore.before': '["sh", "-c", "while test -e /tmp/hold; do sleep 0.2; done"]',
					'holdfast.restore.before.timeout': '1h',
				},
			},
		},
		holdfast: {
			extra_hosts: ['beside.test:host-gateway'],
			environment: {
				SLACK_BOT_TOKEN: tokens.bot,
				SLACK_APP_TOKEN: tokens.app,
				HOLDFAST_SLACK_API_URL: slack.url('beside.test'),
				HOLDFAST_SLACK_CHANNEL: 'C0MAIN',
				HOLDFAST_PING_URL: service.address('all', 'beside.test'),
				HOLDFAST_WEBHOOK_URL: service.address('..', 'beside.test').replace('/ping/..', '/hook'),
				HOLDFAST_WEBHOOK_FORMAT: 'ntfy',
			},
		},
	});
	const target = `${stack.project}/app`;
	const put = async (word: string) => stack.exec('app', 'sh', '-c', `echo ${word} >/data/word`);
	const inSlack = async (text: RegExp) =>
		until(
			`${text} in Slack, not ${slack.messages.map(each => allText(each)).join('; ')}`,
			() => slack.messages.find(each => text.test(allText(each))),
			patience,
		);
	const kinds = () => service.heard.map(({kind}) => kind);
	await until('the bot to be connected', () => slack.connections() === 1, patience);

	await put('good');
	const [good] = await stack.backup(target);
	t.is(good?.outcome, 'success', good?.error);
	await until('its pings', () => service.heard.length === 2, patience);
	t.deepEqual(kinds(), ['start', 'success']);
	t.regex(service.heard[1]?.body ?? '', new RegExp(`backup of ${target}, run ${good?.run}: success, exit status 0`));
	t.deepEqual(service.posted, [], 'a success is not asked for');

	// A failure twice: one message, which changes; and it says its cause once
	await stack.exec('app', 'touch', '/tmp/fail');
	const fail = async () => {
		const [failed] = await stack.backup(target);
		t.is(failed?.outcome, 'failed');
		t.is(failed?.error?.match(/exit code 7/g)?.length, 1, failed?.error);
		return inSlack(/backup\* of .*hook .*before.* failed/s);
	};
	const told = await fail();
	await fail();
	await until('the second one', () => told.versions.length === 2, patience);
	await until('its pings', () => service.heard.length === 6, patience);
	t.deepEqual(kinds().slice(2), ['start', 'fail', 'start', 'fail']);
	t.regex(service.heard[3]?.body ?? '', /failed, exit status 1\n.*exit code 7/);
	t.regex(service.heard[3]?.body ?? '', /before-hooks/, "the log's tail");
	await until('the webhook', () => service.posted.length === 2, patience);
	t.like(service.posted[0], {path: '/hook'});
	t.regex(String(service.posted[0]?.headers.title), new RegExp(`backup of ${target}: failed`));
	t.is(service.posted[0]?.headers.tags, 'x');
	t.regex(service.posted[0]?.body ?? '', /exit code 7/);
	await stack.exec('app', 'rm', '/tmp/fail');
	await put('bad');
	const [bad] = await stack.backup(target);
	t.is(bad?.outcome, 'success', bad?.error);
	await inSlack(/backup.* is well again/s);
	t.is(slack.messages.length, 1, 'it is the same message');

	// A restore that is rolled back
	await put('good');
	const restored = await stack.restore(target);
	t.is(restored.outcome, 'failed');
	t.is(await stack.state('app'), 'running');
	await inSlack(/restore\* of .*not well on what was restored/s);
	await until('the webhook', () => service.posted.some(({headers}) => /restore of .*: failed/.test(String(headers.title))), patience);

	// What the recovery of a killed agent found: all is loaded, and nothing is swapped
	await stack.exec('app', 'touch', '/tmp/hold');
	const begun = await stack.api('POST', '/api/v1/restore', {target, point: good?.run, acknowledged: true, trigger: 'api'});
	const {run} = begun.body as {run: string};
	let isKilled = false;
	for await (const event of stack.follow(run)) {
		if (event.type === 'step' && event.step === 'before-hooks' && !isKilled) {
			isKilled = true;
			await stack.docker(['kill', '--signal', 'KILL', stack.container('holdfast')]);
		}
	}

	await stack.exec('app', 'rm', '/tmp/hold');
	await stack.docker(['start', stack.container('holdfast')]);
	await stack.ready();
	await inSlack(/restore\* of .*the agent ended while the run was under way/s);
	await until('the webhook', () => service.posted.some(({body}) => /the agent ended while the run was under way/.test(body)), patience);

	await until(
		'it is rolled back',
		async () =>
			(JSON.parse((await stack.holdfast('runs', '--json')).stdout) as RunView[]).some(
				({trigger, state}) => trigger === rollBackTrigger && state === 'finished',
			),
		patience,
	);

	// What hangs is late, whatever runs
	await stack.compose('stop', 'holdfast');
	await stack.exec('app', 'touch', '/tmp/hang');
	await stack.compose('run', '--rm', '--no-deps', '--entrypoint', 'node', 'holdfast', '-e', longAgo);
	await stack.compose('start', 'holdfast');
	await stack.ready();
	await until(
		'what was missed to be made up, and to be late',
		async () => {
			const [status] = JSON.parse((await stack.holdfast('status', '--json')).stdout) as StatusView[];
			return status?.late !== undefined && status.running !== null;
		},
		patience,
	);
	// Its message names the run only where it was told after that began.
	await inSlack(/is \*late\*/);
	await stack.exec('app', 'rm', '/tmp/hang');
	await inSlack(/stale.* is well again/s);
	t.truthy(
		slack.messages.find(each => /the agent ended/.test(allText(each))),
		`what was rolled back is no restore that went well: ${slack.messages.map(each => allText(each)).join('\n')}`,
	);
	t.deepEqual(slack.mistakes, []);
});
