import {Writable} from 'node:stream';
import test from 'ava';
import {RepositoryError} from '../../../../base/errors.ts';
import {createCliTest} from '../../../support/doubles/cli.ts';
import {targetView} from '../../../support/doubles/fake-agent.ts';

test('no command, and `agent`, run the agent', async t => {
	const {run} = await createCliTest(t);
	let started = 0;
	const startAgent = async () => {
		started++;
		return 7;
	};
	t.is((await run('', {}, {startAgent})).code, 7);
	t.is((await run('agent', {}, {startAgent})).code, 7);
	t.is(started, 2);
});

test('wrong usage is 2, with the nearest command', async t => {
	const {run} = await createCliTest(t);
	const mistyped = await run('bakup --all');
	t.is(mistyped.code, 2);
	t.regex(mistyped.err, /unknown command 'bakup'\n\(Did you mean backup\?\)/);
	for (const argv of ['targets extra', 'restore', 'backup --nope', 'runs --limit 0', 'runs --limit x', 'cancel', '--nope']) {
		const {code, out, err} = await run(argv);
		t.is(code, 2, argv);
		t.is(out, '', argv);
		t.regex(err, /^error: /, argv);
	}
});

const commands = [
	'targets',
	'plan',
	'status',
	'doctor',
	'backup',
	'points',
	'runs',
	'cancel',
	'restore',
	'audit',
	'healthcheck',
	'version',
];

test('help has examples, of every command', async t => {
	const {run} = await createCliTest(t);
	const {code, out} = await run('--help');
	t.is(code, 0);
	for (const command of [...commands, 'agent']) {
		t.regex(out, new RegExp(`^  ${command} `, 'm'));
		const help = await run(`${command} --help`);
		t.is(help.code, 0);
		t.regex(help.out, new RegExp(`Examples?:\n  \\$ holdfast ${command}`));
	}

	for (const command of commands) {
		t.regex((await run(`${command} --help`)).out, /--json/);
	}
});

test('an error is a message with its hint; a stack only for those who debug', async t => {
	const {agent, run} = await createCliTest(t);
	agent.has.points = [];
	agent.points = async () => {
		throw new RepositoryError('locked', 'the repository is locked\nby host x', {hint: 'wait'});
	};
	t.deepEqual(await run('points'), {code: 1, out: '', err: 'error: the repository is locked\n  by host x (wait)\n'});
	const debugged = await run('points', {}, {debug: true});
	t.regex(debugged.err, /\n {4}at /);
});

test('an agent that cannot be found is an error of the one command', async t => {
	const {run} = await createCliTest(t);
	const connect = () => {
		throw new Error('no token');
	};
	t.deepEqual(await run('targets', {}, {connect}), {code: 1, out: '', err: 'error: no token\n'});
	t.is((await run('version', {}, {connect})).code, 0);
});

const hostile = 'evil\u001b[2J\u001b]0;title\u0007\u009b31m\r\n\u202egnp\u200b/x';

test('no text from a label steers the terminal, in any command', async t => {
	const {agent, run} = await createCliTest(t);
	const problems = [{message: hostile, hint: hostile}];
	agent.has.targets = [targetView(hostile, {container: hostile, sources: [hostile], schedule: hostile, state: hostile, problems})];
	agent.has.status = [
		{
			target: hostile,
			running: null,
			lastRun: {run: hostile, outcome: 'failed', startedAt: hostile, durationSeconds: 1, quiesceSeconds: 0, error: hostile},
			lastSuccess: null,
			nextRun: null,
			lastDrill: {run: hostile, outcome: 'failed', point: hostile, startedAt: hostile, durationSeconds: 1, error: hostile},
			lastDrillSuccess: null,
			nextDrill: hostile,
			problems,
		},
	];
	agent.has.points = [
		{
			point: hostile,
			target: hostile,
			time: hostile,
			sources: [{source: hostile, snapshot: hostile, bytes: 1}],
			host: 'host',
			agent: 'agent-1',
			own: true,
			verifiedAt: hostile,
		},
	];
	agent.has.findings = [{level: 'error', subject: hostile, message: hostile, hint: hostile}];
	agent.has.health = {healthy: false, problems: [hostile]};
	agent.onRun = id => {
		agent.tell(id, {type: 'step', step: 'store', subject: hostile});
		agent.tell(id, {type: 'progress', source: hostile, bytes: 1});
		agent.tell(id, {type: 'warning', message: hostile});
		agent.finish(id, {
			outcome: 'failed',
			error: hostile,
			sources: [{source: hostile, outcome: 'failed', snapshot: null, bytes: 0, addedBytes: 0, error: hostile}],
		});
	};

	const forbidden = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e]/;
	const argvs = ['targets', 'plan', 'status', 'points', 'doctor', 'healthcheck', 'backup --all', 'runs', 'runs run-1'].flatMap(argv => [
		argv,
		`${argv} --json`,
	]);
	for (const argv of argvs) {
		for (const terminal of [{columns: 80}, {}]) {
			const {out, err} = await run(argv, terminal);
			// The live lines move the cursor up and erase; nothing else may.
			const seen = (out + err).replaceAll(/\u001b\[\d+A\u001b\[J/g, '');
			t.notRegex(seen, forbidden, `${argv} ${JSON.stringify(terminal)}`);
			t.regex(seen, /evil/, argv);
		}
	}

	const {out} = await run('targets --json');
	t.is((JSON.parse(out) as Array<{target: string}>)[0]?.target, hostile, 'JSON keeps the text as it is');
});

test('colours appear on a terminal only, and only when wanted', async t => {
	const {agent, run} = await createCliTest(t);
	agent.has.findings = [{level: 'error', subject: 'engine', message: 'away'}];
	t.regex((await run('doctor', {columns: 80}, {colour: true})).out, /\u001b\[31merror\u001b\[39m/);
	for (const [terminal, colour] of [
		[{}, true],
		[{columns: 80}, false],
	] as const) {
		t.notRegex((await run('doctor', terminal, {colour})).out, /\u001b/);
	}
});

test('a pipe that is closed early is no failure', async t => {
	const {agent, run} = await createCliTest(t);
	agent.has.targets = [targetView('shop/db')];
	const stdout = new Writable({
		write(_chunk, _encoding, done) {
			done(Object.assign(new Error('write EPIPE'), {code: 'EPIPE'}));
		},
	});
	t.is((await run('targets', {}, {stdout})).code, 0);
});
