/** A dead man's switch, against a server that speaks as the usual services do. */
import test, {type ExecutionContext} from 'ava';
import {createPings} from '../../../../agent/notify/ping.ts';
import {createEventHub, type RunEvent} from '../../../../base/events.ts';
import {createLog} from '../../../../base/log.ts';
import {createRedactor} from '../../../../base/redact.ts';
import {type BackupResult, finishedAs} from '../../../../base/results.ts';
import {startDeadMan} from '../../../support/doubles/dead-man.ts';
import {until} from '../../../support/until.ts';

const at = Date.parse('2026-11-03T12:00:00Z');

async function scene(t: ExecutionContext, own: Record<string, string> = {}) {
	const service = await startDeadMan(t);
	const redactor = createRedactor();
	const lines: string[] = [];
	const log = createLog({level: 'debug', redactor, output: {write: line => lines.push(line)}});
	const hub = createEventHub(error => t.fail(String(error)));
	const others: Array<{target: string; why: string}> = [];
	const pings = createPings({
		hub,
		url: service.address('all'),
		urlOf: async target => (own[target] === undefined ? undefined : service.address(own[target])),
		unwell: async () => others,
		redact: redactor.applyToJson,
		log,
		pausesMs: [10, 10],
	});
	t.teardown(() => pings.close());
	const told = (run: string, target: string, event: object) => hub.send({run, target, at, ...event} as RunEvent);
	const backup = (run: string, target: string, result: Partial<BackupResult>) => {
		told(run, target, {type: 'queued', operation: 'backup', trigger: 'schedule'});
		told(run, target, {type: 'step', step: 'plan'});
		told(run, target, {type: 'step', step: 'store', subject: 'postgres:app'});
		told(run, target, {type: 'warning', message: 'the password is hunter2-password'});
		told(run, target, {type: 'finished', ...finishedAs('backup', {run, target, outcome: 'success', ...result} as BackupResult)});
	};
	redactor.add(['hunter2-password']);
	return {...service, hub, told, backup, others, log: () => lines.join('')};
}

const kinds = (heard: ReadonlyArray<{check: string; kind: string}>) => heard.map(({check, kind}) => `${check} ${kind}`);

test('a backup begins and ends, and a failure comes with what was told', async t => {
	const {heard, backup} = await scene(t);
	backup('run-1', 'shop/db', {});
	backup('run-2', 'shop/db', {outcome: 'failed', error: 'postgres:app: no room'});
	backup('run-3', 'shop/db', {outcome: 'partial', error: 'it was not started again'});
	await until('all are there', () => heard.length === 6);
	t.deepEqual(kinds(heard), ['all start', 'all success', 'all start', 'all fail', 'all start', 'all fail']);
	const [, , , failed, , partial] = heard;
	t.regex(failed?.body ?? '', /^backup of shop\/db, run run-2: failed, exit status 1\npostgres:app: no room\n/);
	t.regex(failed?.body ?? '', /2026-11-03T12:00:00\.000Z store postgres:app\n.*warning: the password is \*\*\*$/);
	t.regex(partial?.body ?? '', /exit status 3/);
});

test('a backup that an earlier life of the agent began is told when this one has found that it ended', async t => {
	const {heard, told} = await scene(t);
	const result = {run: 'run-0', target: 'shop/db', outcome: 'failed', error: 'the agent ended while the run was under way'};
	told('run-0', 'shop/db', {type: 'finished', ...finishedAs('backup', result as BackupResult)});
	await until('it is there', () => heard.length === 1);
	t.is(heard[0]?.kind, 'fail');
	t.regex(heard[0]?.body ?? '', /the agent ended/);
});

test('the common one is well only when all are; a label has its own', async t => {
	const {heard, backup, others} = await scene(t, {'shop/own': 'own'});
	others.push({target: 'shop/late', why: 'the last good backup is of last week'});
	backup('run-1', 'shop/db', {});
	backup('run-2', 'shop/own', {});
	await until('all are there', () => heard.length === 4);
	t.deepEqual(kinds(heard).sort(), ['all fail', 'all start', 'own start', 'own success']);
	t.regex(heard.find(({kind}) => kind === 'fail')?.body ?? '', /shop\/late: the last good backup is of last week/);
});

test('what rests is no failure', async t => {
	const {heard, backup} = await scene(t);
	backup('run-1', 'shop/db', {outcome: 'partial', absent: [{source: 'postgres:app', why: 'it was stopped'}]});
	await until('both are there', () => heard.length === 2);
	t.is(heard[1]?.kind, 'success');
	t.regex(heard[1]?.body ?? '', /without `postgres:app`/);
});

test('other operations are nothing to it; a service that fails is tried again, and its address is in no log', async t => {
	const {heard, told, backup, answer, log, address} = await scene(t);
	told('run-0', 'shop/db', {type: 'queued', operation: 'restore', trigger: 'cli'});
	told('run-0', 'shop/db', {type: 'step', step: 'plan'});
	answer(503);
	backup('run-1', 'shop/db', {});
	await until('it is told to the log', () => /it answered 503/.test(log()));
	answer(200);
	await until('the end is there', () => heard.some(({kind}) => kind === 'success'));
	t.notRegex(log(), new RegExp(address('').replace(/^http:\/\//, '')));
	t.true(heard.every(({body}) => !body.includes('run-0')));
});
