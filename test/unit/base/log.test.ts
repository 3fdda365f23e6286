import test from 'ava';
import {UsageError} from '../../../base/errors.ts';
import {createEventHub, type RunEvent} from '../../../base/events.ts';
import {createLog, logEvents} from '../../../base/log.ts';
import type {LogLevel} from '../../../base/log-levels.ts';
import {createRedactor} from '../../../base/redact.ts';

function capture({level = 'info', isTTY = false, secrets = []}: {level?: LogLevel; isTTY?: boolean; secrets?: string[]} = {}) {
	const lines: string[] = [];
	const redactor = createRedactor();
	redactor.add(secrets);
	const log = createLog({level, redactor, output: {write: line => lines.push(line), isTTY}});
	return {log, lines, redactor, parsed: () => lines.map(line => JSON.parse(line) as Record<string, unknown>)};
}

test('one JSON line each, with time, level and fields', t => {
	const {log, lines, parsed} = capture();
	log.warning('two\nlines', {target: 'app/db'});
	t.is(lines.length, 1);
	t.regex(lines[0] ?? '', /^[^\n]+\n$/);
	const [line] = parsed();
	t.like(line, {level: 'warning', message: 'two\nlines', target: 'app/db'});
	t.regex(String(line?.time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test('levels below the one asked for are left out', t => {
	for (const [level, count] of [
		['debug', 4],
		['info', 3],
		['warning', 2],
		['error', 1],
	] as const) {
		const {log, lines} = capture({level});
		log.debug('x');
		log.info('x');
		log.warning('x');
		log.error('x');
		t.is(lines.length, count);
	}
});

test('an error is explained with its causes and the next step', t => {
	const {log, parsed} = capture();
	log.error('failed', {error: new UsageError('outer', {cause: new Error('inner'), hint: 'do this'})});
	t.is(parsed()[0]?.error, 'outer: inner (do this)');
});

test('on a terminal: one plain line, and no control characters', t => {
	const {log, lines} = capture({isTTY: true});
	log.info('quiesce\u001B[2Jnow\nthen', {target: 'app/db', bytes: 5, text: 'a\rb\u202Ec'});
	t.regex(lines[0] ?? '', /^\d\d:\d\d:\d\d info {4}quiesce\\u001b\[2Jnow\\nthen target=app\/db bytes=5 text=a\\u000db\\u202ec\n$/);
});

const secret = 'p"a\\s\ns wörd/&';

for (const isTTY of [false, true]) {
	test(`no line holds a secret, however it gets there (${isTTY ? 'terminal' : 'JSON'})`, t => {
		const {log, lines} = capture({isTTY, secrets: [secret, 'plainsecret', 'plainsecret-longer', 'abc']});
		log.info(`message ${secret} plainsecret-longer plainsecret abc`);
		log.info('field', {url: `https://u:${encodeURIComponent(secret)}@h`, nested: {deep: [secret]}, json: JSON.stringify({secret})});
		log.error('cause', {error: new Error('outer', {cause: new AggregateError([new Error(`x ${secret}`), new Error('plainsecret')])})});
		const all = lines.join('');
		t.notRegex(all, /s wörd|w%C3%B6rd|plainsecret|longer/);
		t.true(all.includes('***'));
		t.true(all.includes('abc'), 'too short to be taken out');
		t.is(lines.length, 3);
	});
}

test('a secret that is a number leaves the line whole', t => {
	const {log, parsed} = capture({secrets: ['1234', '"}],']});
	log.info('password 1234', {bytes: 12345, '1234': '"}],'});
	t.like(parsed()[0], {message: 'password ***', bytes: 12345, '***': '***'});
});

test('secrets can be added later', t => {
	const {log, lines, redactor} = capture();
	redactor.add(['generated-later']);
	log.info('generated-later');
	t.false(lines.join('').includes('generated'));
});

test('events become lines with run and target, until it is ended', t => {
	const {log, parsed} = capture();
	const hub = createEventHub(error => t.fail(String(error)));
	const end = logEvents(hub, log);
	const common = {run: 'r1', target: 'app/db', at: 1};
	const result = {run: 'r1', target: 'app/db', point: null, startedAt: '', durationSeconds: 1, quiesceSeconds: 0, sources: []};
	const events: RunEvent[] = [
		{...common, type: 'queued', operation: 'backup', trigger: 'cli'},
		{...common, type: 'step', step: 'quiesce', subject: 'app-db-1'},
		{...common, type: 'progress', source: 'postgres:db', bytes: 1},
		{...common, type: 'warning', message: 'careful'},
		{...common, type: 'finished', operation: 'backup', result: {...result, outcome: 'partial', error: 'one source failed'}},
		{...common, type: 'finished', operation: 'backup', result: {...result, outcome: 'success'}},
	];
	for (const event of events) {
		hub.send(event);
	}

	end();
	hub.send({...common, type: 'warning', message: 'late'});
	t.deepEqual(
		parsed().map(({level, message, run, target, subject, error}) => [level, message, run, target, subject ?? error]),
		[
			['info', 'backup queued', 'r1', 'app/db', undefined],
			['info', 'quiesce', 'r1', 'app/db', 'app-db-1'],
			['warning', 'careful', 'r1', 'app/db', undefined],
			['error', 'backup partial', 'r1', 'app/db', 'one source failed'],
			['info', 'backup success', 'r1', 'app/db', undefined],
		],
	);
});
