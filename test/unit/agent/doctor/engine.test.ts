import {Readable} from 'node:stream';
import test from 'ava';
import {examineEngine, examinePermissions} from '../../../../agent/doctor/engine.ts';
import type {Place} from '../../../../base/command.ts';
import type {Engine} from '../../../../docker/engine.ts';
import type {Workforce} from '../../../../docker/worker.ts';

const engineThat = (
	info: {version?: string; isPodman?: boolean; confined?: 'rootless'; time?: number},
	refuses: readonly string[] = [],
) => {
	const calls: string[] = [];
	const call = (name: string) => async () => {
		calls.push(name);
		if (refuses.includes(name)) {
			throw Object.assign(new Error('forbidden by the proxy'), {statusCode: 403});
		}
	};
	const engine = {
		address: 'tcp://proxy:2375',
		info: async () => ({name: 'host', version: '28.5.2', dataRoot: '/var/lib/docker', time: Date.now(), ...info}),
		stat: call('stat'),
		pause: call('pause'),
		unpause: call('unpause'),
		stop: call('stop'),
	} as unknown as Engine;
	return {engine, calls};
};

const run: Place = async () => ({
	stdout: Readable.from([]),
	stdin: undefined as never,
	done: Promise.resolve({exitCode: 0, stderr: ''}),
	kill: async () => {},
});

const nothing = async () => [];

const workforce = {repository: async () => ({id: 'w', name: 'worker', run})} as unknown as Workforce;

test('an engine as it should be', async t => {
	const {engine, calls} = engineThat({});
	t.deepEqual(
		(await examineEngine(engine)).map(({level}) => level),
		['ok'],
	);
	t.deepEqual(
		(await examinePermissions(engine, workforce, nothing)).map(({level}) => level),
		['ok'],
	);
	t.deepEqual(calls, ['stat', 'pause', 'unpause', 'stop']);
});

test('an engine that is old, and a clock that is wrong, have their fix', async t => {
	const [old, clock] = await examineEngine(engineThat({version: '19.03.1', time: Date.now() - 3_600_000}).engine);
	t.like(old, {level: 'warning', subject: 'engine'});
	t.like(clock, {level: 'error', subject: 'clock'});
	t.regex(clock?.message ?? '', /3600 s apart/);
	t.true([old, clock].every(finding => finding?.hint !== undefined));
	t.like((await examineEngine(engineThat({version: '4.3.1', isPodman: true}).engine))[0], {
		level: 'ok',
		message: 'Podman, version 4.3.1 at tcp://proxy:2375',
	});
	t.like((await examineEngine(engineThat({version: '3.4.4', isPodman: true}).engine))[0], {level: 'warning'});
	t.is((await examineEngine(engineThat({time: Number.NaN}).engine)).length, 1, 'a clock that is not told is not wrong');
});

test('each call that is forbidden is named, and the others are tried all the same', async t => {
	const {engine, calls} = engineThat({}, ['pause', 'stop']);
	const findings = await examinePermissions(engine, workforce, nothing);
	t.deepEqual(
		findings.map(({level, message}) => `${level}: ${message}`),
		[
			'error: the agent may not pause a container: forbidden by the proxy',
			'error: the agent may not stop a container: forbidden by the proxy',
		],
	);
	t.deepEqual(calls, ['stat', 'pause', 'stop'], 'what is not paused is not unpaused');
	t.regex(findings[0]?.hint ?? '', /docs\/security\.md/);
});

test('without a worker nothing else is tried', async t => {
	const {engine, calls} = engineThat({});
	const refused = {repository: async () => Promise.reject(new Error('403'))} as unknown as Workforce;
	t.regex((await examinePermissions(engine, refused, nothing))[0]?.message ?? '', /may not make, start or look at a worker: 403/);
	t.deepEqual(calls, []);
});

test('an engine whose containers have no root of the host says so', async t => {
	const [first] = await examineEngine(engineThat({confined: 'rootless'}).engine);
	t.like(first, {
		level: 'ok',
		subject: 'engine',
		message: 'version 28.5.2 at tcp://proxy:2375, rootless: the root of its containers is another user of the host',
	});
});
