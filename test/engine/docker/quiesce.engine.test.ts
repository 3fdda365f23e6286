/** The quiesced window on a real engine: who stands still, how, for how long, and that all are put back whatever happens meanwhile. Lane: waits. */
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import type {PlanView} from '../../../agent/api/wire.ts';
import type {BackupResult} from '../../../base/results.ts';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {heldWindow} from '../../support/stack/held-window.ts';
import {observeBackup, stepsOf, warningsOf} from '../../support/stack/observe.ts';
import {type Service, type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

let stack: Stack;
let folder = '';
const teardowns: Array<() => unknown> = [];

const target = (service: string) => `${stack.project}/${service}`;

/** An app that waits until it is told to stop, and then does something first. */
const untilStopped = (last: string) => ['sh', '-c', `trap '${last}; exit 0' TERM; touch /data/ready; while :; do sleep 1 & wait; done`];

/** A file that takes a moment to read, and that must be read again all the time. It takes no room. */
const slowToRead = ['sh', '-c', 'truncate -s 1G /data/big; while :; do touch /data/big; sleep 0.5; done'];

const lockBefore = JSON.stringify(['sh', '-c', 'touch /data/app.db.wanted; until test -e /data/app.db.held; do sleep 0.05; done']);

function servicesOf(image: string): Record<string, Service> {
	const service = (labels: Record<string, string>, more: Service): Service => ({
		image,
		init: true,
		stop_grace_period: '5s',
		...more,
		labels: {'holdfast-test': 'quiesce', ...labels},
	});
	const of = (labels: Record<string, string>, more: Service) =>
		service(Object.fromEntries(Object.entries({enable: 'true', ...labels}).map(([name, value]) => [`holdfast.${name}`, value])), more);
	return {
		written: of({}, {command: ['stamp'], volumes: ['written:/data'], depends_on: ['base']}),
		sharer: service({}, {command: ['stamp', '/shared/sharer'], volumes: ['written:/shared'], depends_on: ['written']}),
		reader: service({}, {command: ['sleep', 'infinity'], volumes: ['written:/data:ro']}),
		base: service({}, {command: ['stamp', '/data/base'], volumes: ['written:/data']}),
		stopped: of({quiesce: 'stop', 'quiesce.with': 'helper'}, {command: ['stamp'], volumes: ['stopped:/data']}),
		helper: service({}, {command: ['stamp', '/tmp/stamps'], depends_on: ['stopped']}),
		asleep: of({}, {command: ['sleep', 'infinity'], volumes: ['asleep:/data']}),
		gone: of({quiesce: 'stop'}, {command: ['sleep', 'infinity'], volumes: ['gone:/data']}),
		hooked: of(
			{
				before: JSON.stringify(['sh', '-c', 'echo before `id -un` `cat /data/state` >>/tmp/before']),
				'before.user': 'nobody',
				after: JSON.stringify(['sh', '-c', 'echo after `id -un` >>/tmp/after; echo awake >/data/state']),
			},
			{command: ['sh', '-c', 'echo awake >/data/state; exec sleep infinity'], volumes: ['hooked:/data']},
		),
		refused: of(
			{before: 'sh -c "echo no room for a flush >&2; exit 7"', after: 'touch /tmp/after', quiesce: 'pause'},
			{command: ['sleep', 'infinity'], volumes: ['refused:/data']},
		),
		tolerated: of(
			{before: 'sh -c "exit 7"', 'before.on-error': 'continue', after: 'touch /tmp/after'},
			{command: ['sh', '-c', 'echo kept >/data/file; exec sleep infinity'], volumes: ['tolerated:/data']},
		),
		late: of(
			{before: 'sleep 612', 'before.timeout': '1s', after: 'touch /tmp/after'},
			{command: ['sleep', 'infinity'], volumes: ['late:/data']},
		),
		stubborn: of({quiesce: 'stop'}, {command: ['ignore-sigterm'], init: false, stop_grace_period: '1s', volumes: ['stubborn:/data']}),
		lost: of(
			{quiesce: 'stop', volumes: '/data'},
			{
				command: untilStopped('rm /outside/entry'),
				init: false,
				volumes: [
					'lost:/data',
					`${folder}:/outside`,
					{type: 'bind', source: `${folder}/entry`, target: '/entry', bind: {create_host_path: false}},
				],
			},
		),
		mortal: of(
			{quiesce: 'stop'},
			{
				command: ['sh', '-c', `test -e /data/ended && exit 3; trap 'touch /data/ended; exit 0' TERM; while :; do sleep 1 & wait; done`],
				init: false,
				volumes: ['mortal:/data'],
			},
		),
		limited: of({'quiesce.timeout': '1s', after: 'touch /tmp/after'}, {command: slowToRead, volumes: ['limited:/data']}),
		thawed: of({}, {command: slowToRead, volumes: ['thawed:/data']}),
		restarted: of({quiesce: 'stop'}, {command: slowToRead, volumes: ['restarted:/data']}),
		ended: of({}, {command: slowToRead, volumes: ['ended:/data']}),
		removed: of({}, {command: slowToRead, volumes: ['removed:/data']}),
		woken: of({}, {command: ['sleep', 'infinity'], volumes: ['woken:/data']}),
		beside: service({}, {command: slowToRead, volumes: ['woken:/data']}),
		locked: of(
			{sqlite: '/data/app.db', volumes: 'true', before: lockBefore, after: 'rm -f /data/app.db.wanted'},
			{command: ['hold-lock'], environment: {LOCK_PAUSES: '2'}, volumes: ['locked:/data']},
		),
		hogged: of(
			{sqlite: '/data/app.db', quiesce: 'pause', before: lockBefore, after: 'rm -f /data/app.db.wanted'},
			{command: ['hold-lock'], volumes: ['hogged:/data']},
		),
	};
}

test.before(async t => {
	t.timeout(10 * 60_000);
	folder = await mkdtemp(join(tmpdir(), 'holdfast-quiesce-'));
	teardowns.push(() => rm(folder, {recursive: true, force: true}));
	await writeFile(join(folder, 'entry'), '');
	const image = await ensureImage('holdfast-test/app:latest');
	const services = servicesOf(image);
	const volumes = Object.keys(services).filter(name => !['sharer', 'reader', 'base', 'helper', 'beside'].includes(name));
	stack = await startStack({teardown: undo => teardowns.push(undo)}, {services, volumes});
});

test.after.always(async () => {
	for (const undo of teardowns.toReversed()) {
		await undo();
	}
});

/** Runs a container beside the stack's, and removes it after the test. */
async function besides(name: string, ...options: string[]): Promise<string> {
	const container = `${stack.project}-${name}`;
	const image = await ensureImage('holdfast-test/app:latest');
	await docker([
		'run',
		'--detach',
		'--init',
		'--name',
		container,
		'--label',
		'holdfast-test=quiesce',
		...options,
		image,
		'sleep',
		'infinity',
	]);
	teardowns.push(() => docker(['rm', '--force', container]).catch(() => {}));
	return container;
}

const stateOf = async (container: string) => docker(['inspect', '--format', '{{.State.Status}}', container]);

const startedAt = async (service: string) => docker(['inspect', '--format', '{{.State.StartedAt}}', stack.container(service)]);

/** What the engine did to the project's containers meanwhile: `pause written`, in order. Listens all the time: the engine keeps only a few events. */
async function engineEvents<Value>(actions: readonly string[], work: () => Promise<Value>): Promise<{value: Value; events: string[]}> {
	const lines: string[] = [];
	const listening = execa('docker', [
		'events',
		'--filter=type=container',
		`--filter=label=com.docker.compose.project=${stack.project}`,
		'--format={{.Action}} {{index .Actor.Attributes "com.docker.compose.service"}}',
	]);
	listening.catch(() => {});
	const reading = (async () => {
		for await (const line of listening) {
			lines.push(line);
		}
	})().catch(() => {});
	// Whoever has seen a mark has seen all that came before it.
	const mark = async (text: string) =>
		until('the engine tells its events', async () => {
			await stack.exec('base', 'echo', text);
			return lines.some(line => line.startsWith(`exec_create: echo ${text}`));
		});
	await mark('begin');
	const value = await work();
	await mark('end');
	listening.kill();
	await reading;
	return {value, events: lines.filter(line => actions.includes(line.split(' ', 1)[0] ?? ''))};
}

/** The longest time without a stamp that ended after `since`, in seconds. */
async function largestGap(service: string, file: string, since: number): Promise<number> {
	const stamps = (await stack.exec(service, 'cat', file)).split('\n').map(Number);
	return Math.max(...stamps.slice(1).map((at, index) => (at > since ? at - (stamps[index] ?? at) : 0))) / 1000;
}

const withHeldWindow = async (service: string, work: () => Promise<unknown>) => heldWindow(stack, target(service), work);

const onlyResult = (results: readonly BackupResult[]): BackupResult => {
	const [result] = results;
	if (result === undefined || results.length > 1) {
		throw new Error(`expected one result, got ${JSON.stringify(results)}`);
	}

	return result;
};

test.serial('whoever writes to the volume is paused with its target, dependents first, and nobody else is', async t => {
	const outsider = await besides(
		'outsider',
		`--volume=${stack.project}_written:/data`,
		'--label=com.docker.compose.project=elsewhere',
		'--label=com.docker.compose.service=outsider',
		'--label=com.docker.compose.oneoff=False',
	);
	const plan = JSON.parse((await stack.holdfast('plan', target('written'), '--json')).stdout) as PlanView;
	t.true(
		plan.notes.some(note => note.includes(`container \`${outsider}\` of project \`elsewhere\` also writes to the volume`)),
		plan.notes.join('\n'),
	);

	const since = Date.now();
	const {value, events} = await engineEvents(['pause', 'unpause', 'stop', 'die', 'start'], async () => stack.backup(target('written')));
	const result = onlyResult(value);
	t.is(result.outcome, 'success', result.error);
	t.deepEqual(events.slice(0, 3), ['pause sharer', 'pause written', 'pause base']);
	// Nobody who goes on is in the way of another: all at once.
	t.deepEqual(events.slice(3).toSorted(), ['unpause base', 'unpause sharer', 'unpause written']);

	const gap = await largestGap('sharer', '/shared/sharer', since);
	t.log(`paused: reported ${result.quiesceSeconds.toFixed(3)} s, the app saw ${gap.toFixed(3)} s`);
	t.true(result.quiesceSeconds > gap - 0.1 && result.quiesceSeconds < gap + 1, `${result.quiesceSeconds} s against ${gap} s`);
	t.true(gap > 0.02);
});

test.serial(
	'stop, with the services that are named, and started again in the reverse order; what is removed at its end is only paused',
	async t => {
		const passing = await besides(
			'passing',
			'--rm',
			`--volume=${stack.project}_stopped:/data`,
			`--label=com.docker.compose.project=${stack.project}`,
			'--label=com.docker.compose.service=passing',
		);
		const since = Date.now();
		const {value, events} = await engineEvents(['pause', 'unpause', 'die', 'start'], async () => stack.backup(target('stopped')));
		const result = onlyResult(value);
		t.is(result.outcome, 'success', result.error);
		t.deepEqual(
			events.filter(event => !event.endsWith('passing')),
			['die helper', 'die stopped', 'start stopped', 'start helper'],
		);
		t.deepEqual(
			events.filter(event => event.endsWith('passing')),
			['pause passing', 'unpause passing'],
		);
		t.is(await stateOf(passing), 'running');

		const gap = await largestGap('stopped', '/data/stamps', since);
		t.log(`stopped: reported ${result.quiesceSeconds.toFixed(3)} s, the app saw ${gap.toFixed(3)} s`);
		t.true(result.quiesceSeconds > gap - 2, `${result.quiesceSeconds} s against ${gap} s, of which the app itself needs some to start`);
		// Its helper stands still longer, from before it to after it: two ends and a start of containers, on a machine that may be busy
		t.true(result.quiesceSeconds < gap + 5, `${result.quiesceSeconds} s against ${gap} s`);
	},
);

test.serial('what was stopped or paused before stays so, and is backed up', async t => {
	await stack.compose('stop', 'gone');
	await docker(['pause', stack.container('asleep')]);
	const before = await Promise.all([startedAt('gone'), startedAt('asleep')]);
	for (const result of await stack.backup(target('gone'), target('asleep'))) {
		t.is(result.outcome, 'success', result.error);
		t.is(result.quiesceSeconds, 0);
	}

	t.deepEqual([await stack.state('gone'), await stack.state('asleep')], ['exited', 'paused']);
	t.deepEqual(await Promise.all([startedAt('gone'), startedAt('asleep')]), before);
});

test.serial('hooks run around the window, each as its user', async t => {
	const {result, events} = await observeBackup(stack, target('hooked'));
	t.is(result.outcome, 'success', result.error);
	t.is(await stack.exec('hooked', 'cat', '/tmp/before'), 'before nobody awake');
	t.is(await stack.exec('hooked', 'cat', '/tmp/after'), 'after root');
	const steps = stepsOf(events).filter(step => ['before-hooks', 'quiesce', 'resume', 'after-hooks', 'store'].includes(step));
	t.deepEqual(steps, ['before-hooks', 'quiesce', 'resume', 'after-hooks', 'store']);
});

test.serial('a hook that fails ends the run before anything is quiesced, and its counterpart runs all the same', async t => {
	const {result, events} = await observeBackup(stack, target('refused'));
	t.is(result.outcome, 'failed');
	t.is(result.point, null);
	t.regex(result.error ?? '', /hook `before` \(`sh`\) in container `.*refused-1` failed.*exit code 7: no room for a flush/);
	t.false(stepsOf(events).includes('quiesce'));
	t.is(await stack.exec('refused', 'ls', '/tmp/after'), '/tmp/after');
});

test.serial('a hook that fails is only a warning where its label says `continue`', async t => {
	const {result, events} = await observeBackup(stack, target('tolerated'));
	t.is(result.outcome, 'success', result.error);
	t.true(
		warningsOf(events).some(message => /hook `before` .* failed.*exit code 7/.test(message)),
		warningsOf(events).join('\n'),
	);
	t.is(await stack.exec('tolerated', 'ls', '/tmp/after'), '/tmp/after');
});

test.serial('a hook that does not end is killed in its container', async t => {
	const {result} = await observeBackup(stack, target('late'));
	t.is(result.outcome, 'failed');
	t.regex(result.error ?? '', /hook `before` \(`sleep`\) .* did not end within 1 s \(raise `holdfast.before.timeout`/);
	t.notRegex(await docker(['top', stack.container('late')]), /sleep 612/);
	t.is(await stack.exec('late', 'ls', '/tmp/after'), '/tmp/after');
});

test.serial('an app that ignores SIGTERM is killed after its grace period, said so, and started again', async t => {
	const before = await startedAt('stubborn');
	const {result, events} = await observeBackup(stack, target('stubborn'));
	t.is(result.outcome, 'success', result.error);
	t.true(
		warningsOf(events).some(message => message.includes('did not end within its 1 s and was killed')),
		warningsOf(events).join('\n'),
	);
	t.is(await stack.state('stubborn'), 'running');
	t.not(await startedAt('stubborn'), before);
});

test.serial(
	'a container that the engine does not start again: the command to run by hand is in the result, the log and on the terminal',
	async t => {
		await stack.exec('lost', 'ls', '/data/ready');
		const command = `docker start ${stack.container('lost')}`;
		const {exitCode, stderr} = await stack.holdfast('backup', target('lost'));
		t.is(exitCode, 1);
		t.true(stderr.replaceAll(/\s+/g, ' ').includes(command), stderr);
		const [last] = JSON.parse((await stack.holdfast('runs', '--json')).stdout) as Array<{outcome: string; result: BackupResult}>;
		t.is(last?.outcome, 'failed');
		t.true(last?.result.error?.includes(command), last?.result.error);
		t.true((last?.result.quiesceSeconds ?? 0) > 0);
		const log = await docker(['logs', stack.container('holdfast')]);
		const line = log.split('\n').find(candidate => candidate.includes('"level":"error"') && candidate.includes(command));
		t.truthy(line, log);

		await writeFile(join(folder, 'entry'), '');
		await stack.compose('restart', 'holdfast');
		await stack.ready();
		await until('the agent puts back what an earlier life of it could not', async () => (await stack.state('lost')) === 'running');
	},
);

test.serial('a container that dies when it is started again is no success', async t => {
	const command = `docker start ${stack.container('mortal')}`;
	const {result} = await observeBackup(stack, target('mortal'));
	t.is(result.outcome, 'failed');
	t.regex(result.error ?? '', /was started again but is exited \(exit code 3\)/);
	t.true(result.error?.includes(command), result.error);
});

test.serial('a window that grows longer than its limit is ended, and the run has failed', async t => {
	const {result} = await withHeldWindow('limited', async () =>
		until('the window to end', async () => (await stack.state('limited')) === 'running'),
	);
	t.is(result.outcome, 'failed');
	t.is(result.point, null);
	t.regex(result.error ?? '', /the outage reached its limit of 1 s/);
	t.log(`limit of 1 s: quiesced for ${result.quiesceSeconds.toFixed(3)} s`);
	t.true(result.quiesceSeconds >= 1 && result.quiesceSeconds < 5, `${result.quiesceSeconds} s`);
	t.is(await stack.state('limited'), 'running');
	t.is(await stack.exec('limited', 'ls', '/tmp/after'), '/tmp/after');
	const points = JSON.parse((await stack.holdfast('points', target('limited'), '--json')).stdout) as unknown[];
	t.deepEqual(points, []);
});

for (const {service, verb} of [
	{service: 'thawed', verb: 'unpause'},
	{service: 'restarted', verb: 'start'},
]) {
	test.serial(`a container that somebody else wakes meanwhile (docker ${verb}) was not at rest`, async t => {
		const {result} = await withHeldWindow(service, async () => docker([verb, stack.container(service)]));
		t.is(result.outcome, 'failed');
		t.is(result.point, null);
		t.regex(result.error ?? '', /was started by somebody else while it was quiesced/);
		t.is(await stack.state(service), 'running');
	});
}

test.serial('a container that did not run, and that somebody starts meanwhile, was not at rest', async t => {
	await stack.compose('stop', 'woken');
	const {result} = await withHeldWindow('woken', async () => docker(['start', stack.container('woken')]));
	t.is(result.outcome, 'failed');
	t.is(result.point, null);
	t.regex(result.error ?? '', /woken-1` was started by somebody else/);
	t.deepEqual([await stack.state('woken'), await stack.state('beside')], ['running', 'running']);
});

test.serial('a container that ends while it is paused is down, and is said to be; nobody is said to have started it', async t => {
	const container = stack.container('ended');
	const {result} = await withHeldWindow('ended', async () => docker(['kill', container]));
	t.is(result.outcome, 'failed');
	t.is(result.point, null);
	t.regex(result.error ?? '', /ended-1` ended while it was paused, so its files were not at rest/);
	t.regex(
		result.error ?? '',
		new RegExp(`ended-1\` was paused for a run, and has ended since \\(exit code 137\\): it is down.*docker start ${container}`),
	);
	t.notRegex(result.error ?? '', /somebody else/);
	t.is(await stack.state('ended'), 'exited');
	await docker(['start', container]);
	t.is(onlyResult(await stack.backup(target('ended'))).outcome, 'success');
});

test.serial('a container that is removed just when it is to be paused is said to be removed, or to have ended', async t => {
	t.timeout(6 * 60_000);
	const removedInTime = async () => {
		await stack.compose('up', '--detach', '--no-recreate', 'removed');
		let gone: Promise<unknown> | undefined;
		const {result} = await observeBackup(stack, target('removed'), event => {
			if (event.type === 'step' && event.step === 'quiesce') {
				gone ??= docker(['rm', '--force', stack.container('removed')]);
			}
		});
		await gone;
		return result.outcome !== 'success' && result;
	};
	// The moment may be over before the command has begun
	const result = await until('a removal that came in time', removedInTime, {timeout: 180_000});
	t.is(result.outcome, 'failed');
	t.is(result.point, null);
	t.regex(result.error ?? '', /removed-1` (?:was removed while it was quiesced|ended while it was paused|could not be paused)/);
	t.notRegex(result.error ?? '', /somebody else|No such container/);
	await stack.compose('up', '--detach', '--no-recreate', 'removed');
	t.is(onlyResult(await stack.backup(target('removed'))).outcome, 'success');
});

test.serial('a paused writer that holds a lock gets time to let go of it', async t => {
	const {result, events} = await observeBackup(stack, target('locked'));
	t.is(result.outcome, 'success', result.error);
	const retries = warningsOf(events).filter(message => message.includes('is locked by its app'));
	t.true(retries.length > 0, 'the lock was never in the way');
	t.log(`pinned at try ${retries.length + 1}`);
	t.is(stepsOf(events).filter(step => step === 'quiesce').length, retries.length + 1);
	const snapshots = JSON.parse(await stack.restic('snapshots', '--json', '--tag', `run:${result.run}`)) as Array<{tags: string[]}>;
	const ofVolume = snapshots.filter(({tags}) => tags.includes('source:volume:/data'));
	t.is(ofVolume.length, 1, 'tries that were given up left nothing behind');
});

test.serial('a paused writer that never lets go of its lock: a few tries, then it is said', async t => {
	const {result} = await observeBackup(stack, target('hogged'));
	t.is(result.outcome, 'failed');
	t.regex(result.error ?? '', /gave up after 4 tries.*app\.db` is locked by its app.*quiesce=stop/);
	t.is(await stack.state('hogged'), 'running');
	t.is(await stack.exec('hogged', 'sh', '-c', 'until ! test -e /data/app.db.held; do sleep 0.1; done; echo free'), 'free');
});
