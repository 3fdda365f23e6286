/** Notifications to real servers: good, refusing, failing, silent, badly certified. */
import {createHmac, randomBytes} from 'node:crypto';
import {once} from 'node:events';
import {createServer, type IncomingMessage, type Server} from 'node:http';
import {createServer as createSecureServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import {text} from 'node:stream/consumers';
import test, {type ExecutionContext} from 'ava';
import {SMTPServer, type SMTPServerOptions} from 'smtp-server';
import {mail} from '../../../../agent/notify/mail.ts';
import type {Message} from '../../../../agent/notify/message.ts';
import {createNotifications, type NotifyOptions} from '../../../../agent/notify/notify.ts';
import type {Receiver} from '../../../../agent/notify/queue.ts';
import {webhook} from '../../../../agent/notify/webhook.ts';
import {createEventHub, type FinishedEvent} from '../../../../base/events.ts';
import {createLog} from '../../../../base/log.ts';
import {createNotices} from '../../../../base/notices.ts';
import {createRedactor} from '../../../../base/redact.ts';
import {finishedAs, type RunResult} from '../../../../base/results.ts';
import {certificate} from '../../../support/doubles/certificate.ts';
import {until} from '../../../support/until.ts';

const key = randomBytes(32);
const secret = `whsec_${key.toString('base64')}`;

function finished(change: Partial<RunResult> = {}, operation: FinishedEvent['operation'] = 'backup'): FinishedEvent {
	return {
		type: 'finished',
		run: 'run-1',
		target: 'shop/db',
		at: Date.parse('2026-11-03T12:00:00Z'),
		...finishedAs(operation, {
			run: 'run-1',
			target: 'shop/db',
			outcome: 'failed',
			point: null,
			startedAt: '2026-11-03T11:59:00Z',
			durationSeconds: 60,
			quiesceSeconds: 0.25,
			sources: [{source: 'postgres:app', outcome: 'failed', snapshot: null, bytes: 5, addedBytes: 0, error: 'no room'}],
			error: 'postgres:app: no room',
			...change,
		} as RunResult),
	};
}

function notifying(t: ExecutionContext, receivers: ReadonlyArray<Receiver<Message>>, options: Partial<NotifyOptions> = {}) {
	const redactor = createRedactor();
	const lines: string[] = [];
	const log = createLog({level: 'debug', redactor, output: {write: line => lines.push(line)}});
	const hub = createEventHub(error => t.fail(String(error)));
	const notices = createNotices(error => t.fail(String(error)));
	const notifications = createNotifications({
		hub,
		notices,
		receivers,
		wanted: ['failed', 'drill:success'],
		host: 'host-1',
		redact: redactor.applyToJson,
		log,
		pausesMs: [20, 20],
		patienceMs: 10_000,
		...options,
	});
	t.teardown(notifications.close);
	return {hub, notices, lines, redactor, ...notifications, log: () => lines.join('')};
}

interface Got {
	headers: IncomingMessage['headers'];
	body: string;
}

async function serve(t: ExecutionContext, status: (n: number) => number | undefined, server: Server = createServer()) {
	const got: Got[] = [];
	server.on('request', async (request: IncomingMessage, response) => {
		got.push({headers: request.headers, body: await text(request)});
		const code = status(got.length);
		if (code !== undefined) {
			response.writeHead(code, code === 302 ? {location: '/elsewhere'} : {}).end('answer');
		}
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => {
		server.close();
		server.closeAllConnections();
	});
	return {got, port: (server.address() as AddressInfo).port};
}

test('a webhook is told what happened, signed', async t => {
	const {got, port} = await serve(t, () => 204);
	const {hub, log} = notifying(t, [webhook({url: `http://127.0.0.1:${port}/hook?token=secret-token`, secret})]);
	hub.send(finished());
	await until('it is sent', async () => got.length === 1);
	const [{headers, body} = {headers: {}, body: ''}] = got;
	t.deepEqual(JSON.parse(body), {
		type: 'holdfast.run.finished',
		timestamp: '2026-11-03T12:00:00.000Z',
		data: {
			host: 'host-1',
			run: 'run-1',
			target: 'shop/db',
			operation: 'backup',
			outcome: 'failed',
			durationSeconds: 60,
			outageSeconds: 0.25,
			sources: [{source: 'postgres:app', outcome: 'failed', bytes: 5, error: 'no room'}],
			error: 'postgres:app: no room',
		},
	});
	const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
	t.is(headers['webhook-signature'], `v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
	t.true(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1000) < 60);
	t.notRegex(log(), /secret-token/);
});

test('only what is asked for is told', async t => {
	const {got, port} = await serve(t, () => 200);
	const {hub} = notifying(t, [webhook({url: `http://127.0.0.1:${port}/`, secret})]);
	hub.send(finished({outcome: 'success'}));
	hub.send(finished({outcome: 'partial'}));
	hub.send(finished({outcome: 'success'}, 'restore'));
	// Told as a notice, when it began
	hub.send(finished({outcome: 'failed', error: undefined, absent: [{source: 'postgres:app', why: 'stopped'}]} as Partial<RunResult>));
	hub.send(finished({outcome: 'success'}, 'drill'));
	hub.send(finished({outcome: 'failed'}, 'check'));
	await until('both are sent', async () => got.length === 2);
	t.deepEqual(
		got.map(({body}) => (JSON.parse(body) as {data: {operation: string}}).data.operation),
		['drill', 'check'],
	);
});

test('no secret is in a message', async t => {
	const {got, port} = await serve(t, () => 200);
	const {hub, redactor} = notifying(t, [webhook({url: `http://127.0.0.1:${port}/`, secret})]);
	redactor.add(['hunter2-password']);
	hub.send(finished({error: 'rest:https://me:hunter2-password@host: refused'}));
	await until('it is sent', async () => got.length === 1);
	t.notRegex(got[0]?.body ?? '', /hunter2/);
	t.regex(got[0]?.body ?? '', /\*\*\*/);
});

test('a webhook that fails is tried again, with the same id, and then given up', async t => {
	const {got, port} = await serve(t, n => (n < 3 ? 500 : 200));
	const {hub, log} = notifying(t, [webhook({url: `http://127.0.0.1:${port}/path-of-the-hook`, secret})]);
	hub.send(finished());
	await until('it was taken', async () => got.length === 3);
	t.is(new Set(got.map(({headers}) => headers['webhook-id'])).size, 1);
	t.regex(log(), /it answered 500.*the webhook did not take how run run-1.*trying again/);
	t.notRegex(log(), /path-of-the-hook/);

	const {got: never, port: other} = await serve(t, () => 302);
	const failing = notifying(t, [webhook({url: `http://127.0.0.1:${other}/`, secret})]);
	failing.hub.send(finished());
	await until('it is given up', async () => /"level":"error".*it answered 302/.test(failing.log()));
	t.is(never.length, 3, 'a redirection is not followed');
});

test('a webhook that is not there, is silent, or is somebody else delays nothing and hides nothing', async t => {
	const {port: silent} = await serve(t, () => undefined);
	const {got, port: good} = await serve(t, () => 200);
	const closed = createServer().listen(0, '127.0.0.1');
	await once(closed, 'listening');
	const {port: gone} = closed.address() as AddressInfo;
	closed.close();
	const {cert, privateKey} = certificate;
	const {port: foreign} = await serve(t, () => 200, createSecureServer({key: privateKey, cert}) as unknown as Server);
	const receivers = [
		...[silent, gone].map(port => webhook({url: `http://127.0.0.1:${port}/path-of-the-hook`, secret})),
		webhook({url: `https://127.0.0.1:${foreign}/path-of-the-hook`, secret}),
		webhook({url: `http://127.0.0.1:${good}/`, secret}),
	];
	const {hub, log} = notifying(t, receivers, {patienceMs: 2000});
	hub.send(finished());
	t.is(got.length, 0, 'the run goes on before anybody was asked');
	await until('the good one has it', async () => got.length === 1);
	await until('the others are given up', async () => (log().match(/"level":"error"/g) ?? []).length === 3);
	for (const reason of [/did not answer within 2 s/, /ECONNREFUSED/, /SELF_SIGNED|CERT/]) {
		t.regex(log(), reason);
	}

	t.notRegex(log(), /path-of-the-hook/);
});

test('messages do not pile up for ever, and the end of the agent does not wait for them', async t => {
	let sent = 0;
	const stuck: Receiver<Message> = {
		name: 'the stuck one',
		async send() {
			sent++;
			await new Promise(() => {});
		},
	};
	const {hub, log, close} = notifying(t, [stuck], {patienceMs: 60_000});
	for (let n = 0; n < 200; n++) {
		hub.send(finished());
	}

	t.is(sent, 1);
	t.is((log().match(/takes messages too slowly/g) ?? []).length, 99);
	close();
	t.regex(log(), /100 messages were not sent/);
	hub.send(finished());
	t.is(sent, 1);
});

interface Letter {
	from: string;
	to: string[];
	content: string;
	secure: boolean;
}

async function post(t: ExecutionContext, options: SMTPServerOptions) {
	const letters: Letter[] = [];
	const server = new SMTPServer({
		disabledCommands: ['STARTTLS'],
		authOptional: true,
		onData(stream, session, callback) {
			text(stream).then(content => {
				const {mailFrom, rcptTo} = session.envelope;
				letters.push({
					from: mailFrom === false ? '' : mailFrom.address,
					to: rcptTo.map(({address}) => address),
					content,
					secure: session.secure,
				});
				callback();
			}, callback);
		},
		...options,
	});
	server.on('error', () => {});
	server.listen(0, '127.0.0.1');
	await once(server.server, 'listening');
	t.teardown(() => new Promise<void>(resolve => server.close(resolve)));
	return {letters, port: (server.server.address() as AddressInfo).port};
}

const addresses = {from: 'holdfast@example.org', to: ['ops@example.org', 'dba@example.org']};

test('a mail is sent to everybody, and no name begins a header of its own', async t => {
	const {letters, port} = await post(t, {});
	const {hub} = notifying(t, [mail({url: `smtp://127.0.0.1:${port}`, ...addresses})]);
	hub.send({...finished({error: 'no room\r\nBcc: all@example.org'}), target: 'shop/db\r\nBcc: all@example.org'});
	await until('it is sent', async () => letters.length === 1);
	const [{from, to, content} = {from: '', to: [], content: ''}] = letters;
	t.is(from, 'holdfast@example.org');
	t.deepEqual(to, ['ops@example.org', 'dba@example.org']);
	const [headers = '', ...rest] = content.split('\r\n\r\n');
	const body = rest.join('\n');
	t.regex(headers, /^Subject: \[holdfast\] backup of shop\/db Bcc: all@example\.org: failed/m);
	t.notRegex(headers, /^Bcc:/im);
	t.regex(body, /error: no room Bcc: all@example\.org/);
	t.regex(body, /holdfast runs run-1/);
});

test('a mail server that refuses, wants a password, or has a wrong certificate is told to the log, without the password', async t => {
	const {cert, privateKey} = certificate;
	const refusing = await post(t, {
		onRcptTo(_address, _session, callback) {
			callback(Object.assign(new Error('no such user'), {responseCode: 550}));
		},
	});
	const guarded = await post(t, {
		authOptional: false,
		allowInsecureAuth: true,
		onAuth(_auth, _session, callback) {
			callback(new Error('wrong'));
		},
	});
	const foreign = await post(t, {secure: true, key: privateKey, cert});
	const plain = await post(t, {allowInsecureAuth: true});
	const {hub, log, redactor} = notifying(
		t,
		[
			mail({url: `smtp://127.0.0.1:${refusing.port}`, ...addresses}),
			mail({url: `smtp://me:hunter2-password@127.0.0.1:${guarded.port}/?ignoreTLS=true`, ...addresses}),
			mail({url: `smtps://127.0.0.1:${foreign.port}`, ...addresses}),
			mail({url: `smtp://me:hunter2-password@127.0.0.1:${plain.port}`, ...addresses}),
			mail({url: 'smtp://127.0.0.1:1', ...addresses}),
		],
		{patienceMs: 5000},
	);
	redactor.add([]);
	hub.send(finished());
	await until('all are given up', async () => (log().match(/"level":"error"/g) ?? []).length === 5);
	t.regex(log(), /it answered 550/);
	t.regex(log(), /it answered 535/);
	t.regex(log(), /cannot be reached: (ESOCKET|ETLS)/);
	t.notRegex(log(), /hunter2/);
	t.deepEqual(
		[refusing, guarded, foreign, plain].flatMap(({letters}) => letters),
		[],
		'nor is a password sent in the clear',
	);
});

test('a mail server that says nothing is given up', async t => {
	const {createServer: createPlainServer} = await import('node:net');
	const server = createPlainServer(() => {}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	const {hub, log, close} = notifying(t, [mail({url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`, ...addresses})], {
		patienceMs: 2000,
	});
	hub.send(finished());
	await until('it is given up', async () => /"level":"error".*did not answer within 2 s/.test(log()));
	t.is((log().match(/trying again/g) ?? []).length, 2);
	close();
	server.close();
});

test('what is no end of a run is told, too, by webhook and mail', async t => {
	const sent: Array<Parameters<Receiver<Message>['send']>[0]> = [];
	const {notices} = notifying(t, [
		{
			name: 'a receiver',
			async send(message) {
				sent.push(message);
			},
		},
	]);
	notices.send({kind: 'gone', target: 'shop/db', text: '`shop/db` is not found any more', hint: 'holdfast forget shop/db', at: 0});
	await until('the notice', () => sent.length === 1);
	t.deepEqual(sent[0], {
		type: 'holdfast.notice',
		timestamp: '1970-01-01T00:00:00.000Z',
		data: {
			host: 'host-1',
			target: 'shop/db',
			kind: 'gone',
			message: '`shop/db` is not found any more',
			hint: 'holdfast forget shop/db',
		},
	});
});
