/** Hooks after a kill and after the limit, and what they cost. Lane: waits. */
import test from 'ava';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {observeBackup} from '../../support/stack/observe.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const sh = (script: string) => JSON.stringify(['sh', '-c', script]);

let stack: Stack;
const teardowns: Array<() => unknown> = [];
const target = (service: string) => `${stack.project}/${service}`;

test.before(async t => {
	t.timeout(5 * 60_000);
	const image = await ensureImage('holdfast-test/app:latest');
	const of = (labels: Record<string, string>, more: Record<string, unknown>) => ({
		image,
		init: true,
		command: ['sleep', 'infinity'],
		...more,
		labels: Object.fromEntries(Object.entries({enable: 'true', ...labels}).map(([name, value]) => [`holdfast.${name}`, value])),
	});
	stack = await startStack(
		{teardown: undo => teardowns.push(undo)},
		{
			volumes: ['frozen', 'later', 'limited', 'dumped', 'piped', 'loud', 'leaving'],
			services: {
				/** As `fsfreeze -u`: it fails where nothing was frozen, and writes down each call. */
				frozen: of(
					{
						before: sh('touch /data/began; sleep 15; touch /data/ended'),
						'before.timeout': '1m',
						after: sh('ls /data/ended >>/data/after || echo too early >>/data/after; exit 1'),
					},
					{volumes: ['frozen:/data']},
				),
				later: of({quiesce: 'stop'}, {volumes: ['later:/data']}),
				limited: of(
					{quiesce: 'stop', 'quiesce.timeout': '2s', before: sh('echo held >/data/held'), after: sh('rm /data/held')},
					{init: false, command: ['ignore-sigterm'], stop_grace_period: '10m', volumes: ['limited:/data']},
				),
				dumped: of(
					{volumes: '/data', quiesce: 'none', 'quiesce.timeout': '1s', before: sh('sleep 3; echo dump >/data/dump')},
					{volumes: ['dumped:/data']},
				),
				piped: of(
					{volumes: '/data', quiesce: 'none', before: JSON.stringify(['bash', '-o', 'pipefail', '-c', 'false | gzip >/data/dump.gz'])},
					{volumes: ['piped:/data']},
				),
				loud: of(
					{quiesce: 'none', before: sh('head -c 1000000000 /dev/zero | tr "\\\\0" x'), 'before.timeout': '3m'},
					{volumes: ['loud:/data']},
				),
				leaving: of(
					{
						quiesce: 'none',
						before: sh('if test -e /data/quiet; then sleep 600 >/dev/null 2>&1 & else sleep 600 & fi'),
						'before.timeout': '5s',
					},
					{volumes: ['leaving:/data']},
				),
			},
		},
	);
});

test.after.always(async () => {
	for (const undo of teardowns.toReversed()) {
		await undo();
	}
});

const calls = async () => (await stack.exec('frozen', 'sh', '-c', 'cat /data/after 2>/dev/null | wc -l')).trim();

test.serial('after a kill the counterpart runs once, however it ends, and keeps no other recovery from beginning', async t => {
	t.timeout(5 * 60_000);
	const run = stack.holdfast('backup', target('frozen'));
	await until('the hook runs', async () => stack.exec('frozen', 'ls', '/data/began').catch(() => false), {timeout: 60_000});
	await docker(['kill', '--signal', 'KILL', stack.container('holdfast')]);
	await run;
	await docker(['start', stack.container('holdfast')]);
	await stack.ready();
	await until('the counterpart was called', async () => (await calls()) === '1', {timeout: 60_000});
	t.is(
		(await stack.exec('frozen', 'cat', '/data/after')).trim(),
		'/data/ended',
		'the dead agent left its hook at work, and that was over before',
	);

	const begun = Date.now();
	const [result] = await stack.backup(target('later'));
	t.is(result?.outcome, 'success', result?.error);
	t.is(await stack.state('later'), 'running');
	// A recovery that tries again does so every two seconds
	await until('time enough for more calls', () => Date.now() - begun > 6000);
	t.is(await calls(), '1');
	const [last] = JSON.parse((await stack.holdfast('runs', '--target', target('frozen'), '--json')).stdout) as Array<{outcome: string}>;
	t.is(last?.outcome, 'failed');
});

test.serial('the limit holds through a stop that would take ten minutes, and the hooks run all the same', async t => {
	const {result} = await observeBackup(stack, target('limited'));
	t.true(result.quiesceSeconds < 12, `${result.quiesceSeconds} s`);
	t.is(await stack.state('limited'), 'running');
	t.is(await stack.exec('limited', 'ls', '/data'), '');
});

test.serial('a dump by a hook is no outage where nobody stands still', async t => {
	const {result} = await observeBackup(stack, target('dumped'));
	t.is(result.outcome, 'success', result.error);
	t.is(result.quiesceSeconds, 0);
	t.is(await stack.restic('dump', result.sources[0]?.snapshot ?? '', `/${target('dumped')}/volume/data/dump`), 'dump');
});

test.serial('a pipe fails when a part of it fails, as docs/labels.md writes it', async t => {
	const {result} = await observeBackup(stack, target('piped'));
	t.is(result.outcome, 'failed');
	t.regex(result.error ?? '', /hook `before` \(`bash`\).*exit code 1/);
});

test.serial('a hook that prints a gigabyte takes no memory of the agent', async t => {
	const {result} = await observeBackup(stack, target('loud'));
	t.is(result.outcome, 'success', result.error);
	const script = 'for p in /proc/[0-9]*; do grep -q "agent/main.js" $p/cmdline && cat $p/status; done 2>/dev/null; true';
	const peaks = [...(await stack.exec('holdfast', 'sh', '-c', script)).matchAll(/^VmHWM:\s+(\d+) kB$/gm)].map(
		([, kilobytes]) => Number(kilobytes) / 1024,
	);
	t.true(Math.max(...peaks) > 20 && Math.max(...peaks) < 256, `${peaks} MiB`);
});

test.serial(
	'a hook that leaves something running is over when it has ended itself, whoever holds its output; what it left runs on',
	async t => {
		for (const when of ['loud', 'quiet']) {
			const {result} = await observeBackup(stack, target('leaving'));
			t.is(result.outcome, 'success', `${when}: ${result.error}`);
			t.regex(await stack.exec('leaving', 'sh', '-c', 'cat /proc/[0-9]*/cmdline'), /sleep.600/);
			await stack.exec('leaving', 'touch', '/data/quiet');
		}
	},
);
