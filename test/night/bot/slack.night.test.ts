/** Slack, spoken for real: every command, a big backup while commands are acknowledged, and a Slack that goes away. */
import test from 'ava';
import {docker} from '../../support/docker.ts';
import {allText, operator, restorer, second, viewer} from '../../support/doubles/bot.ts';
import {
	assertTold,
	backedUpOnce,
	begin,
	patience,
	posted,
	replied,
	restored,
	restoredAndUndone,
	runs,
} from '../../support/laws/slack-scene.ts';
import {until} from '../../support/until.ts';

test('Slack: every command, a restore that a second person approves, undo, a Slack that goes away', async t => {
	const scene = await begin(t, {bulk: 300_000_000});
	const {slack, stack, target, big} = scene;
	const run = await backedUpOnce(t, scene);

	for (const [text, expected] of [
		['', /app/],
		[`points ${target}`, new RegExp(run)],
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

	await restoredAndUndone(t, scene);
	const again = await restored(t, scene);
	const restoreRun = /run `([^`]+)`/.exec(allText(again))?.[1] ?? '';
	const known = slack.messages.length;
	await replied((await slack.command(restorer, '/restore', `finish ${restoreRun}`)).replies, /1 more person must approve/);
	const isAsked = () => slack.messages.slice(known).find(each => allText(each).includes('"Approve"'));
	await slack.press(second, await until('the finish to need a second person, too', isAsked, patience), 'Approve');
	await until('it is let go', async () => (await runs(scene)).filter(({operation}) => operation === 'restore').length === 4, patience);
	await until('the finish has ended', async () => (await runs(scene)).every(({state}) => state === 'finished'), patience);
	await replied(
		(await slack.command(restorer, '/restore', `undo ${restoreRun}`)).replies,
		/nothing that run|kept any more|1 more person must approve/,
	);

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

	await assertTold(t, scene, [
		`${viewer.user} backup refused null`,
		`${restorer.user} restore allowed waits for 1 to approve`,
		`${second.user} approve allowed success`,
		`${restorer.user} undo allowed waits for 1 to approve`,
		`${restorer.user} finish allowed waits for 1 to approve`,
		`${operator.user} cancel allowed done`,
		'cli backup allowed success',
	]);

	const names = await docker(['exec', stack.container('holdfast'), 'sh', '-c', 'grep -hE "^(Name|VmHWM)" /proc/[0-9]*/status']);
	const peaks = [...names.matchAll(/Name:\s+(?:node|MainThread)\S*\nVmHWM:\s+(\d+) kB/g)].map(([, peak]) => Number(peak) / 1024);
	t.log(`peak memory of the agent with its bot: ${Math.max(...peaks).toFixed(0)} MiB`);
	t.true(Math.max(...peaks) < 256);
});
