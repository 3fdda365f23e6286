/** The bot against a Slack that speaks the real protocols, and agents' real HTTP API. */
import test from 'ava';
import {allText, operator, restorer, startBotTest, stock, target, viewer} from '../../support/doubles/bot.ts';
import type {FakeAgent} from '../../support/doubles/fake-agent.ts';
import {until} from '../../support/until.ts';

test('the overview, and every list', async t => {
	const {slack, reply} = await startBotTest(t);
	const overview = await slack.command(viewer, '/backup');
	t.regex(allText(await reply(overview.replies, /shop\/db/)), /1 GB/);
	await reply((await slack.command(viewer, '/backup', 'points shop/db')).replies, /20261120t030000/);
	await reply((await slack.command(viewer, '/backup', 'history')).replies, /no run yet/);
	await reply((await slack.command(viewer, '/backup', 'doctor')).replies, /Doctor/);
	await reply((await slack.command(viewer, '/backup', 'help')).replies, /restore undo RUN/);
	await reply((await slack.command(viewer, '/backup', 'bakup')).replies, /does not know/);
	await reply((await slack.command(viewer, '/backup', 'points shop/dc')).replies, /did you mean shop\/db/);
	t.deepEqual(slack.mistakes, []);
});

test('a backup: one message, updated in place, details in its thread', async t => {
	const {slack, agent, reply, message} = await startBotTest(t);
	const {replies} = await slack.command(operator, '/backup', `now ${target}`);
	await reply(replies, /is run/);
	t.like(agent.calls, [{backup: target, trigger: `slack:${operator.user}`}]);
	agent.tell('run-1', {type: 'step', step: 'first-pass'});
	await message(/first-pass/);
	agent.tell('run-1', {type: 'progress', source: 'volume:/data', bytes: 50, totalBytes: 100});
	await message(/50 %/);
	agent.finish('run-1');
	const done = await message(/backup\* of `shop\/db`: success/);
	t.is(slack.messages.filter(({thread}) => thread === undefined).length, 1);
	await until('the thread', () => slack.messages.find(({thread}) => thread === done.ts));
	t.deepEqual(slack.mistakes, []);
});

test('a drill, and whether a point is verified', async t => {
	const {slack, agent, reply, message} = await startBotTest(t);
	await reply((await slack.command(viewer, '/backup', `points ${target}`)).replies, /not verified/);
	await reply((await slack.command(operator, '/backup', `drill ${target}`)).replies, /drill of/);
	const [run] = agent.runs();
	t.like(run, {operation: 'drill', trigger: `slack:${operator.user}`});
	agent.finish(run?.run ?? '', {outcome: 'failed', error: 'a check failed'});
	const failed = await message(/a check failed/);
	await slack.press(operator, failed, 'Retry');
	await until('the next drill', () => agent.runs().length === 2);
	t.deepEqual(slack.mistakes, []);
});

test('a whole restore: chosen, checked, confirmed, undone', async t => {
	const {slack, agent, message} = await startBotTest(t);
	await slack.command(restorer, '/restore');
	const modal = await until('the targets', () => [...slack.views.values()].find(({view}) => JSON.stringify(view).includes('Which target')));
	const menu = modal.view.blocks[1].elements[0];
	await slack.pick(restorer, modal, menu.options[0].value);
	await until('the choice', () => modal.view.callback_id === 'choose');
	await slack.submit(restorer, modal, {});
	await until('the confirmation', () => modal.view.callback_id === 'confirm');
	const wrong = await slack.submit(restorer, modal, {confirm: 'shop/dc'});
	t.is(wrong.answer?.response_action, 'errors');
	await slack.submit(restorer, modal, {confirm: target});
	await until('the restore', () => agent.calls.some(call => 'restore' in call));
	t.like(agent.calls.at(-1), {restore: {target, point: '20261121t030000-0000001', only: [], trigger: `slack:${restorer.user}`}});
	agent.finish('run-1');
	const done = await message(/restore\* of `shop\/db`: success/);
	await slack.press(restorer, done, 'Undo');
	await until('the undo', () => agent.calls.some(call => call.undo === 'run-1'));
	await until('the buttons are gone', () => !JSON.stringify(done.blocks).includes('"Undo"'));
	t.deepEqual(slack.mistakes, []);
});

test('a rule for a target: who may not see it does not; who may operate only it has its buttons', async t => {
	const {slack, reply} = await startBotTest(t, {
		access: {operators: [], targets: [{match: 'pay/*', viewers: [], operators: ['U0PAY'], restorers: []}]},
		prepare: (_, [agent]) => stock(agent as FakeAgent, ['shop/db', 'pay/db']),
	});
	const shown = allText(await reply((await slack.command(viewer, '/backup')).replies, /target/));
	t.true(shown.includes('shop/db') && !shown.includes('pay/db') && !shown.includes('Back up'));
	const own = allText(await reply((await slack.command({user: 'U0PAY'}, '/backup')).replies, /pay\/db/));
	t.is(own.match(/"Back up"/g)?.length, 1);
	await reply((await slack.command(viewer, '/backup', 'points pay/db')).replies, /role viewer for pay/);
	await slack.openHome(viewer);
	const home = JSON.stringify(await until('the home tab', () => slack.homes.get(viewer.user)));
	t.true(home.includes('shop/db') && !home.includes('pay/db'));
});
