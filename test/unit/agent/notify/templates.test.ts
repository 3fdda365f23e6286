/** Messages to chat services, each as the service takes it: what a real server got. */
import {once} from 'node:events';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {text} from 'node:stream/consumers';
import test, {type ExecutionContext} from 'ava';
import type {NoticeMessage, RunMessage} from '../../../../agent/notify/message.ts';
import {webhook} from '../../../../agent/notify/webhook.ts';
import {type WebhookFormat, webhookFormats} from '../../../../base/reading/webhook-format.ts';

const hostile = '@everyone <!channel> [here](https://evil.example) ``` {text} \u2028 ä';

const message = (change: Partial<RunMessage['data']> = {}): RunMessage => ({
	type: 'holdfast.run.finished',
	timestamp: '2026-11-03T12:00:00.000Z',
	data: {host: 'nas', run: 'run-1', target: 'shop/db', operation: 'backup', outcome: 'failed', error: hostile, ...change},
});

const notice: NoticeMessage = {
	type: 'holdfast.notice',
	timestamp: '2026-11-03T12:00:00.000Z',
	data: {host: 'nas', target: 'shop/db', kind: 'back', message: 'all of it is backed up again'},
};

async function sent(t: ExecutionContext, format: WebhookFormat, what: RunMessage | NoticeMessage = message()) {
	const server = createServer();
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => server.close());
	const {port} = server.address() as AddressInfo;
	const arrived = new Promise<{headers: Record<string, unknown>; body: string; url: string}>(resolve => {
		server.once('request', async (request, response) => {
			const body = await text(request);
			response.end();
			resolve({headers: request.headers, body, url: request.url ?? ''});
		});
	});
	await webhook({url: `http://127.0.0.1:${port}/a?token=b`, secret: undefined, format}).send(what, AbortSignal.timeout(10_000));
	const got = await arrived;
	t.is(got.url, '/a?token=b');
	t.is(got.headers['webhook-signature'], undefined);
	return {...got, json: () => JSON.parse(got.body)};
}

test('discord: a text in a block of code, and nobody is called', async t => {
	const {json, headers} = await sent(t, 'discord');
	t.is(headers['content-type'], 'application/json');
	const {content, allowed_mentions: mentions, ...rest} = json();
	t.deepEqual([mentions, rest], [{parse: []}, {}]);
	t.regex(content, /^❌ \*\*backup of shop\/db: failed \(nas\)\*\*\n```\n/);
	t.is(content.match(/```/g)?.length, 2);
});

test('ntfy: the text as it is, the rest in headers', async t => {
	const {body, headers} = await sent(t, 'ntfy');
	t.like(headers, {title: 'backup of shop/db: failed (nas)', priority: '4', tags: 'x'});
	t.true(body.includes('@everyone') && body.includes('{text}'));
	t.like((await sent(t, 'ntfy', notice)).headers, {priority: '2', tags: 'white_check_mark'});
	t.is((await sent(t, 'ntfy', message({target: 'grün\r\nX: y'}))).headers.title, 'backup of gr?n X: y: failed (nas)');
});

test('gotify: title, message and a number', async t => {
	const {title, message: body, priority, ...rest} = (await sent(t, 'gotify')).json();
	t.deepEqual([title, priority, rest], ['backup of shop/db: failed (nas)', 8, {}]);
	t.true(body.includes('run-1'));
});

test('mattermost: a text in which no name calls anybody', async t => {
	const {text: body, ...rest} = (await sent(t, 'mattermost', message({target: '@all'}))).json();
	t.deepEqual(rest, {});
	t.notRegex(body, /@(?!\u200B)/);
	t.is(body.match(/```/g)?.length, 2);
});

test('telegram: plain text without a preview of links', async t => {
	const {text: body, ...rest} = (await sent(t, 'telegram')).json();
	t.deepEqual(rest, {link_preview_options: {is_disabled: true}});
	t.true(body.startsWith('❌ backup of shop/db: failed (nas)\n\n'));
});

test('none is longer than its service takes', async t => {
	const limits: Record<WebhookFormat, number> = {discord: 2000, ntfy: 4096, gotify: 10_000, mattermost: 4000, telegram: 4096};
	for (const format of webhookFormats) {
		const {body, json} = await sent(t, format, message({error: 'ä`'.repeat(10_000)}));
		const longest = format === 'ntfy' ? Buffer.byteLength(body) : Math.max(...Object.values(json()).map(value => String(value).length));
		t.true(longest <= limits[format], `${format}: ${longest}`);
	}
});
