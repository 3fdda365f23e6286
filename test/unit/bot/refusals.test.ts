/** What must not be done is not done, and is written down. */
import test, {type ExecutionContext} from 'ava';
import {allText, operator, restorer, second, startBotTest, stock, stranger, target, viewer} from '../../support/doubles/bot.ts';
import type {FakeAgent} from '../../support/doubles/fake-agent.ts';
import {until} from '../../support/until.ts';

const refusals = (agent: FakeAgent) => agent.audit.entries({limit: 1000}).filter(({decision}) => decision === 'refused');

const refused = async (t: ExecutionContext, agent: FakeAgent, count: number, reason: RegExp) => {
	await until(`${count} refusals, of ${JSON.stringify(refusals(agent))}`, () => refusals(agent).length === count, {
		timeout: 5000,
		interval: 5,
	});
	t.regex(refusals(agent)[0]?.reason ?? '', reason);
};

test('who has no role for it is refused, with every command, and audited', async t => {
	const {slack, agent, reply} = await startBotTest(t);
	let count = 0;
	for (const [actor, command, text, reason] of [
		[viewer, '/backup', `now ${target}`, /role operator/],
		[viewer, '/backup', 'check', /role operator/],
		[viewer, '/backup', 'now all', undefined],
		[operator, '/backup', `export ${target}`, /role restorer/],
		[{...operator, ...{team: 'T0OTHER'}}, '/backup', '', /another team/],
		[stranger, '/backup', `points ${target}`, /another team/],
	] as const) {
		const {replies} = await slack.command(actor, command, text);
		await reply(replies, reason ?? /did not begin/);
		count++;
		await refused(t, agent, count, /role|team/);
	}

	for (const actor of [viewer, operator]) {
		await slack.command(actor, '/restore', target);
		await refused(t, agent, ++count, /role restorer/);
	}

	await until('the modal says no', () => [...slack.views.values()].every(({view}) => JSON.stringify(view).includes('⛔')));
	t.deepEqual(agent.calls, []);
	t.deepEqual(slack.mistakes, []);
});

test('a button: pressed by another, forged, reused, made for something else, expired', async t => {
	let clock = Date.now();
	const {slack, agent, reply} = await startBotTest(t, {now: () => clock});
	const overview = await reply((await slack.command(operator, '/backup')).replies, /shop\/db/);
	const button = overview.blocks
		.flatMap(block => (block.elements as Array<Record<string, string>>) ?? [])
		.find(({action_id: id}) => id?.startsWith('backup'));
	t.truthy(button?.value);

	await slack.press(viewer, overview, 'Back up');
	await refused(t, agent, 1, /role operator/);
	await slack.press({...operator, team: 'T0OTHER'}, overview, 'Back up');
	await refused(t, agent, 2, /another team/);
	await slack.pressRaw(operator, overview, {action_id: 'backup.0', value: `${button?.value?.slice(0, -2)}AA`});
	await refused(t, agent, 3, /not of this bot/);
	await slack.pressRaw(restorer, overview, {action_id: 'undo.0', value: button?.value});
	await refused(t, agent, 4, /something else/);
	t.deepEqual(agent.calls, []);

	await slack.press(operator, overview, 'Back up');
	await until('the backup', () => agent.calls.length === 1);
	agent.finish('run-1');
	await slack.press(operator, overview, 'Back up');
	await refused(t, agent, 5, /used before/);

	const later = await reply((await slack.command(operator, '/backup')).replies, /shop\/db/);
	clock += 2 * 3_600_000;
	await slack.press(operator, later, 'Back up');
	await refused(t, agent, 6, /too old/);
	t.is(agent.calls.length, 1);
	t.like(refusals(agent)[0], {who: `slack:T0HOME/${operator.user}`, action: 'backup', place: 'C0MAIN'});
});

test('what is used stays used when the bot is started again; what is not still works', async t => {
	const {slack, agent, reply, restart} = await startBotTest(t);
	const [first, other] = await Promise.all([1, 2].map(async () => reply((await slack.command(operator, '/backup')).replies, /shop\/db/)));
	await slack.press(operator, first as NonNullable<typeof first>, 'Back up');
	await until('the backup', () => agent.calls.length === 1);
	agent.finish('run-1');
	await restart();
	await slack.press(operator, first as NonNullable<typeof first>, 'Back up');
	await refused(t, agent, 1, /used before/);
	await slack.press(operator, other as NonNullable<typeof other>, 'Back up');
	await until('the other backup', () => agent.calls.length === 2);
});

/** Up to the last modal. */
async function toConfirmation({slack}: {slack: Awaited<ReturnType<typeof startBotTest>>['slack']}) {
	const before = slack.views.size;
	await slack.command(restorer, '/restore', target);
	const modal = await until('the modal', () => [...slack.views.values()][before]);
	await until('the choice', () => modal.view.callback_id === 'choose');
	await slack.submit(restorer, modal, {what: 'databases'});
	await until('the confirmation', () => modal.view.callback_id === 'confirm');
	return modal;
}

test('a modal works once, and for who opened it', async t => {
	const {slack, agent} = await startBotTest(t);
	const modal = await toConfirmation({slack});
	const copy = {...modal, view: structuredClone(modal.view)};
	await slack.submit(second, {...copy}, {confirm: target});
	await refused(t, agent, 1, /not for this person/);
	await slack.submit(operator, {...copy}, {confirm: target});
	await refused(t, agent, 2, /not for this person/);
	await slack.submit({...restorer, team: 'T0OTHER'}, {...copy}, {confirm: target});
	await refused(t, agent, 3, /another team/);
	t.false(agent.calls.some(call => 'restore' in call));
	await slack.submit(restorer, {...copy, versions: 90}, {confirm: target});
	await until('the restore', () => agent.calls.some(call => 'restore' in call));
	t.like(agent.calls.at(-1), {restore: {only: ['postgres:app']}});
	agent.finish('run-1');
	await slack.submit(restorer, {...copy, versions: 91}, {confirm: target});
	await refused(t, agent, 4, /used before/);
	t.is(agent.calls.filter(call => 'restore' in call).length, 1);
});

test('a restore that two must want: the second approves; not the first, not who has no role, not twice, not too late', async t => {
	let clock = Date.now();
	const {slack, agent, message} = await startBotTest(t, {access: {approvals: 2}, now: () => clock});
	const modal = await toConfirmation({slack});
	t.is(modal.view.submit.text, 'Ask for approval');
	await slack.submit(restorer, modal, {confirm: target});
	const approval = await message(/asks to \*restore\*/);
	const asked = structuredClone(approval);
	await slack.press(restorer, approval, 'Approve');
	await refused(t, agent, 1, /cannot approve it/);
	await slack.press(operator, approval, 'Approve');
	await refused(t, agent, 2, /role restorer/);
	t.false(agent.calls.some(call => 'restore' in call));
	await slack.press(second, approval, 'Approve');
	await until('the restore', () => agent.calls.some(call => 'restore' in call));
	t.like(agent.calls.at(-1), {restore: {trigger: `slack:${restorer.user}`}});
	await until(
		'the message says who',
		() => allText(approval).includes(`<@${second.user}>`) && allText(approval).includes(`<@${restorer.user}>`),
	);
	t.false(allText(approval).includes('"Approve"'));
	await slack.press(second, asked, 'Approve');
	await refused(t, agent, 3, /used before/);
	const log = agent.audit.entries().filter(({decision}) => decision === 'allowed');
	t.deepEqual(
		log.map(({action, who, run}) => [action, who, run]),
		[
			['approve', `slack:T0HOME/${second.user}`, 'run-1'],
			['restore', `slack:T0HOME/${restorer.user}`, null],
		],
	);
	agent.finish('run-1');
	const done = await message(/restore\* of `shop\/db`: success/);
	t.true(allText(done).includes(`approved by <@${second.user}>`));

	const late = await toConfirmation({slack});
	await slack.submit(restorer, late, {confirm: target});
	const another = await until('the other approval', () => slack.messages.findLast(each => allText(each).includes('asks to')));
	clock += 16 * 60_000;
	await slack.press(second, another, 'Approve');
	await refused(t, agent, 4, /too old/);
	t.is(agent.calls.filter(call => 'restore' in call).length, 1);
	t.deepEqual(slack.mistakes, []);
});

test('a restore that is refused does not happen', async t => {
	const {slack, agent, message} = await startBotTest(t, {access: {approvals: 2}});
	const modal = await toConfirmation({slack});
	await slack.submit(restorer, modal, {confirm: target});
	const approval = await message(/asks to \*restore\*/);
	const asked = structuredClone(approval);
	await slack.press(second, approval, 'Refuse');
	await until('the message says so', () => allText(approval).includes(`refused by <@${second.user}>`));
	await slack.press(operator, approval.blocks.some(block => block.type === 'actions') ? approval : asked, 'Approve');
	await refused(t, agent, 1, /role restorer/);
	t.false(agent.calls.some(call => 'restore' in call));
});

test('to undo the restore of a project is to undo that of each of its targets: their rules and their approvals count', async t => {
	const {slack, agent, message, reply} = await startBotTest(t, {
		access: {
			targets: [
				{match: 'shop/pay', restorers: [second.user, restorer.user], approvals: 2},
				{match: 'shop/own', restorers: [second.user]},
			],
		},
		prepare: (_, [fake]) => stock(fake as FakeAgent, ['shop/db', 'shop/pay']),
	});
	const {run} = await agent.restore({target: 'shop/db', point: 'latest', only: [], trigger: 'cli'});
	agent.finish(run);
	const known = agent.run;
	agent.run = id => (id === run ? {...known(id), target: 'shop'} : known(id));

	await slack.command(restorer, '/restore', `undo ${run}`);
	const approval = await message(/asks to \*undo\* a restore of `shop`/);
	t.false(agent.calls.some(call => 'undo' in call));
	await slack.press(restorer, approval, 'Approve');
	await refused(t, agent, 1, /cannot approve it/);
	await slack.press(second, approval, 'Approve');
	await until('the undo', () => agent.calls.some(call => call.undo === run));

	stock(agent, ['shop/db', 'shop/own']);
	await reply((await slack.command(restorer, '/restore', `finish ${run}`)).replies, /role restorer for shop\/own/);
	t.false(agent.calls.some(call => 'finish' in call));
	await reply((await slack.command(restorer, '/backup', `cancel ${run}`)).replies, /role restorer for shop\/own/);
	t.false(agent.calls.some(call => 'cancel' in call));
	t.deepEqual(slack.mistakes, []);
});

test('what was approved in time is not told as what nobody approved, however it was asked for', async t => {
	const asked = Date.now();
	const {slack, agent, message} = await startBotTest(t, {access: {approvals: 2}, now: () => asked, pace: {approvalMs: 8000}});
	const {run} = await agent.restore({target, point: 'latest', only: [], trigger: 'cli'});
	agent.finish(run);
	await slack.command(restorer, '/restore', `undo ${run}`);
	await slack.press(second, await message(/asks to \*undo\* a restore/), 'Approve');
	await until('the undo', () => agent.calls.some(call => call.undo === run));

	const modal = await toConfirmation({slack});
	await slack.submit(restorer, modal, {confirm: target});
	const later = await message(/asks to \*restore\*/);
	await until('its time is over', () => allText(later).includes('nobody approved in time'));
	t.deepEqual(
		slack.messages.filter(each => /nobody approved in time/.test(allText(each))),
		[later],
	);
	t.deepEqual(slack.mistakes, []);
});

test('a target with a name that Slack would obey is shown as it is', async t => {
	const {slack, reply, message} = await startBotTest(t, {
		prepare(_, [agent]) {
			const name = '<!channel> *x*';
			for (const view of agent?.has.targets ?? []) {
				view.target = name;
				view.problems = [];
			}

			for (const row of agent?.has.status ?? []) {
				row.target = name;
				row.problems = [{message: '`<!here>` _is_ <http://evil|wrong>'}];
			}
		},
	});
	const overview = await reply((await slack.command(operator, '/backup')).replies, /channel/);
	t.true(allText(overview).includes('`&lt;!channel&gt; *x*`'));
	t.false(/<!(?:channel|here)/.test(allText(overview)));
	await slack.press(operator, overview, 'Back up');
	const run = await message(/backup/);
	t.true(run.text.includes('`&lt;!channel&gt; *x*`'));
	t.false(/<!channel/.test(JSON.stringify(run)));
	t.deepEqual(slack.mistakes, []);
});
