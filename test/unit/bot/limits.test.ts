/** Everything that is sent, made of much and of hostile data, is what Slack takes. */
import test from 'ava';
import {obeyed, textsOf} from '../../support/doubles/block-kit.ts';
import {allText, operator, restorer, startBotTest, stock} from '../../support/doubles/bot.ts';
import type {FakeAgent} from '../../support/doubles/fake-agent.ts';
import {until} from '../../support/until.ts';

/** Each is hostile in its own way, and as long as names become. */
const names = Array.from(
	{length: 200},
	(_, index) => `p${index}/${['<!channel> *x*', '`code` ~s~', 'a'.repeat(200), '&amp;<http://evil|x>', '_i_ 😀'.repeat(10)][index % 5]}`,
);

const error = `it failed: ${'<!here> `*bold*` & '.repeat(60)} (do \`this\` <now>)`;

function fill(agent: FakeAgent): void {
	stock(agent, names);
	for (const [index, row] of agent.has.status.entries()) {
		row.problems = index % 3 === 0 ? Array.from({length: 4}, () => ({message: error, hint: error})) : [];
		row.lastRun =
			index % 7 === 0
				? null
				: {
						run: 'run-0',
						outcome: index % 2 === 0 ? 'failed' : 'success',
						startedAt: '2026-11-21T03:00:00.000Z',
						durationSeconds: 1e6,
						quiesceSeconds: 1,
						error,
					};
	}

	agent.has.findings = Array.from({length: 300}, (_, index) => ({
		level: 'warning',
		subject: names[index % 200] ?? '',
		message: error,
		hint: error,
	}));
	const [first] = names;
	const [point] = agent.has.points;
	agent.has.points = [
		...Array.from({length: 110}, (_, index) => ({
			...(point as NonNullable<typeof point>),
			target: first ?? '',
			point: `20261121t0300${String(index).padStart(2, '0')}-0000001`,
			sources: Array.from({length: 120}, (_, number) => ({
				source: `${number % 2 === 0 ? 'postgres' : 'volume'}:${'<!x> `n`'.repeat(index % 40)}${number}`,
				snapshot: 'a'.repeat(64),
				bytes: 1e12,
				...(number % 2 === 0 ? {isDatabase: true as const} : {}),
			})),
		})),
		...agent.has.points.slice(2),
	];
}

test('200 targets with hostile names: every message, page, modal and the home tab', async t => {
	const {slack, agent, reply, message} = await startBotTest(t, {
		pace: {runsMs: 10_000, staleMs: 10_000},
		prepare: (_, [first]) => fill(first as FakeAgent),
		access: {operators: ['U0RESTORER', operator.user]},
	});
	let page = await reply((await slack.command(restorer, '/backup')).replies, /200 targets/);
	let pages = 1;
	for (;;) {
		const next = page.blocks
			.flatMap(block => (block.elements as Array<{text?: {text?: string}}>) ?? [])
			.find(element => element.text?.text?.startsWith('Next'));
		if (next === undefined) {
			break;
		}

		page = await reply((await slack.press(restorer, page, next.text?.text ?? '')).replies, /200 targets/);
		pages++;
	}

	t.is(pages, 10);
	await reply((await slack.command(restorer, '/backup', 'doctor')).replies, /Doctor/);
	await slack.openHome(restorer);
	const home = await until('the home tab', () => slack.homes.get(restorer.user));
	t.true(home.blocks.length > 80);

	await slack.command(restorer, '/restore');
	const modal = await until('the targets', () => [...slack.views.values()].find(({view}) => JSON.stringify(view).includes('Which target')));
	const [menu] = modal.view.blocks[1].elements;
	t.is(menu.option_groups.length, 2);
	await slack.pick(
		restorer,
		modal,
		menu.option_groups
			.flatMap((group: {options: unknown[]}) => group.options)
			.find((option: {text: {text: string}}) => option.text.text.startsWith('p0/'))?.value,
	);
	await until('the choice', () => modal.view.callback_id === 'choose');
	await slack.submit(restorer, modal, {});
	await until('the confirmation', () => modal.view.callback_id === 'confirm');
	await slack.submit(restorer, modal, {confirm: names[0] ?? ''});
	await until('the restore', () => agent.calls.some(call => 'restore' in call));
	agent.tell('run-1', {type: 'step', step: 'swap', subject: names[1]});
	agent.tell('run-1', {type: 'warning', message: error});
	agent.tell('run-1', {type: 'progress', source: error, bytes: 5, totalBytes: 3});
	for (let index = 0; index < 300; index++) {
		agent.tell('run-1', {type: 'step', step: 'load', subject: names[index % 200]});
	}

	agent.finish('run-1', {outcome: 'failed', error, replaced: names});
	const done = await message(/restore\* of .*failed/);
	await reply((await slack.press(restorer, done, 'Details')).replies, /Steps/);
	await until('the thread', () => slack.messages.some(({thread}) => thread === done.ts));
	await reply((await slack.command(restorer, '/backup', 'history')).replies, /restore of/);

	t.deepEqual(slack.mistakes, []);
	const shown = [
		...slack.messages.map(({blocks}) => blocks),
		...[...slack.views.values()].map(({view}) => view),
		...slack.homes.values(),
		page.blocks,
	];
	t.deepEqual(shown.flatMap(textsOf).flatMap(obeyed), []);
	t.false(slack.messages.some(each => /<!(?:channel|here)/.test(allText(each))));
});
