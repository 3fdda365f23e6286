/** Slack away, in every way: backups do not mind, and it is taken up again as soon as it is back. */
import test from 'ava';
import {agentToken, allText, operator, startBotTest, stock, target} from '../../support/doubles/bot.ts';
import {bodyFor, signed} from '../../support/doubles/fake-slack.ts';
import {freePort} from '../../support/free-port.ts';
import {until} from '../../support/until.ts';

const rejections: unknown[] = [];
process.on('unhandledRejection', error => rejections.push(error));
test.after('nothing was rejected without being handled', t => t.deepEqual(rejections, []));

const usual = {intervalMs: 1000, retryMs: 1500, runsMs: 50};

test('Slack is unreachable at the start: connected within 5 s of its return', async t => {
	const {slack, isConnected, log, url} = await startBotTest(t, {
		unconnected: true,
		prepare(fake) {
			fake.fault = 'down';
		},
		pace: usual,
	});
	const begun = await fetch(`${url}/api/v1/backup`, {
		method: 'POST',
		headers: {Authorization: `Bearer ${agentToken}`},
		body: JSON.stringify({targets: [target]}),
	});
	t.is(begun.status, 202);
	await until('a try', () => log.some(line => line.includes('cannot be reached')));
	t.false(isConnected());
	slack.fault = '';
	const back = performance.now();
	await until('connected', isConnected, {timeout: 5000, interval: 5});
	t.log(`connected ${Math.round(performance.now() - back)} ms after Slack's return`);
	t.is(log.filter(line => line.includes('cannot be reached')).length, 1, 'said once');
});

test('a socket that drops, a request to connect anew, a token that is revoked: the run is told to its end', async t => {
	const {slack, agent, isConnected, message} = await startBotTest(t, {pace: {...usual, intervalMs: 20}});
	await slack.command(operator, '/backup', `now ${target}`);
	await message(/queued|backup/);
	for (const way of ['hangUp', 'drop'] as const) {
		slack[way]();
		await until('it is noticed', () => slack.connections() === 0, {interval: 1});
		const gone = performance.now();
		await until('connected again', () => isConnected() && slack.connections() > 0, {timeout: 5000, interval: 5});
		t.log(`${way}: connected again after ${Math.round(performance.now() - gone)} ms`);
	}

	slack.fault = 'revoked';
	slack.drop();
	await until('not connected', () => !isConnected());
	agent.tell('run-1', {type: 'step', step: 'store'});
	agent.finish('run-1');
	slack.fault = '';
	await until('connected again', isConnected, {timeout: 5000});
	await message(/backup\* of `shop\/db`: success/);
	await slack.command(operator, '/backup', `now ${target}`);
	await until('the next backup', () => agent.calls.length === 2);
	t.is(slack.messages.filter(each => allText(each).includes('success') && each.thread === undefined).length, 1);
});

test('a storm of 429: heeded, and the last state arrives', async t => {
	const {slack, agent, message} = await startBotTest(t, {pace: usual});
	slack.limited = 2;
	await slack.command(operator, '/backup', `now ${target}`);
	await until('the backup', () => agent.calls.length === 1);
	for (let bytes = 0; bytes < 200; bytes++) {
		agent.tell('run-1', {type: 'progress', source: 'volume:/data', bytes, totalBytes: 200});
	}

	agent.finish('run-1');
	await message(/success/);
	const writes = slack.calls.filter(({method, args}) => method.startsWith('chat.') && args.channel === 'C0MAIN');
	t.is(writes.filter(({answer}) => answer === 'ratelimited').length, 2);
	for (const [index, {at}] of writes.entries()) {
		t.true(index === 0 || at - (writes[index - 1]?.at ?? 0) >= 990, 'at most one a second');
	}
});

test('a duplicate envelope begins nothing twice; also one that another life of the bot gets', async t => {
	const {slack, agent, restart, message} = await startBotTest(t);
	await slack.command(operator, '/backup', `now ${target}`);
	await slack.again();
	await until('the backup', () => agent.calls.length > 0);
	agent.finish('run-1');
	await message(/success/);
	await restart();
	await slack.again();
	await until('it is looked at', () => agent.audit.entries().length >= 1);
	await slack.command(operator, '/backup', 'history');
	t.is(agent.calls.length, 1);
});

test('a run that was under way when the bot was started again is shown to its end, in its message', async t => {
	const {slack, agent, restart, message} = await startBotTest(t);
	await slack.command(operator, '/backup', `now ${target}`);
	await message(/backup/);
	await until('it is noted', () => Object.keys(agent.notes()).length === 1);
	await restart();
	agent.finish('run-1');
	await message(/backup\* of `shop\/db`: success/);
	t.is(slack.messages.filter(({thread, user}) => thread === undefined && user === undefined).length, 1);
	await until('the note is gone', () => Object.keys(agent.notes()).length === 0);
});

test('what another version noted keeps no run from being shown to its end, and no failure from being told', async t => {
	const {slack, agent, restart, message, log} = await startBotTest(t);
	for (const note of ['not JSON', '{"posted":{"channel":7}}', 'null']) {
		agent.saveNote(`run ${note}`, note);
		agent.saveNote(`incident ${note}`, note);
	}

	await slack.command(operator, '/backup', `now ${target}`);
	await message(/backup/);
	await until('it is noted', () => agent.notes()['run run-1'] !== undefined);
	await restart();
	agent.finish('run-1');
	await message(/backup\* of `shop\/db`: success/);
	const {run} = await agent.backup(target, 'schedule');
	agent.finish(run, {outcome: 'failed', error: 'the repository is full'});
	await message(/the repository is full/);
	t.is(Object.keys(agent.notes()).filter(key => /not JSON|posted|null/.test(key)).length, 6, 'they may be another bot’s');
	t.regex(log.join('\n'), /cannot be read any more/);
});

const secret = 'signing-secret';

test('HTTP mode: the same over signed requests; what is forged, old, early or sent again is refused', async t => {
	const port = await freePort();
	const {slack, agent, reply} = await startBotTest(t, {
		config: {appToken: undefined, signingSecret: secret, listen: {host: '127.0.0.1', port}},
	});
	const address = `http://127.0.0.1:${port}/slack/events`;
	slack.overHttp(address, secret);
	await reply((await slack.command(operator, '/backup')).replies, /shop\/db/);
	await slack.command(operator, '/backup', `now ${target}`);
	await until('the backup', () => agent.calls.length === 1);
	await slack.again();

	const {body, contentType} = bodyFor({
		type: 'slash_commands',
		payload: {command: '/backup', text: `now ${target}`, team_id: 'T0HOME', user_id: operator.user, trigger_id: 'x'},
	});
	const send = async (headers: Record<string, string>, content = body) =>
		(await fetch(address, {method: 'POST', body: content, headers: {'Content-Type': contentType, ...headers}})).status;
	const now = Math.floor(Date.now() / 1000);
	t.is(await send({}), 401);
	t.is(await send(signed(body, 'another')), 401);
	t.is(await send(signed(body, secret, now - 301)), 401, 'too old');
	t.is(await send(signed(body, secret, now + 3600)), 401, 'of the future');
	t.is(await send(signed(body, secret), `${body} `), 401, 'other bytes');
	agent.finish('run-1');
	const good = signed(body, secret);
	t.is(await send(good), 200);
	await until('the other backup', () => agent.calls.length === 2);
	agent.finish('run-2');
	t.is(await send(good), 401, 'sent again');
	t.is(await send(signed('x'.repeat(1_100_000), secret), 'x'.repeat(1_100_000)), 413);
	const challenge = JSON.stringify({type: 'url_verification', challenge: 'abc'});
	const answer = await fetch(address, {
		method: 'POST',
		body: challenge,
		headers: {'Content-Type': 'application/json', ...signed(challenge, secret)},
	});
	t.deepEqual(await answer.json(), {challenge: 'abc'});
	t.is((await fetch(address)).status, 404);
	t.is(agent.calls.length, 2);
});

test('several hosts: targets carry the host, and one that is away does not hide the others', async t => {
	const {slack, agents, reply} = await startBotTest(t, {
		hosts: ['alpha', 'beta'],
		prepare: (_, [, beta]) => stock(beta as never, ['pay/db']),
	});
	const overview = await reply((await slack.command(operator, '/backup')).replies, /alpha:shop\/db/);
	t.true(allText(overview).includes('beta:pay/db'));
	await slack.command(operator, '/backup', 'now beta:pay/db');
	await until('the backup', () => agents[1]?.calls.length === 1);
	await slack.command(operator, '/backup', 'now shop/db');
	await until('the backup of the other', () => agents[0]?.calls.length === 1);
	(agents[1] as NonNullable<(typeof agents)[1]>).status = async () => {
		throw new Error('gone');
	};
	const partly = await reply((await slack.command(operator, '/backup')).replies, /⚠️/);
	t.true(allText(partly).includes('alpha:shop/db'));
	t.deepEqual(slack.mistakes, []);
});
