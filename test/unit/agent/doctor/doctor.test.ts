import test, {type ExecutionContext} from 'ava';
import {diagnose} from '../../../../agent/doctor/doctor.ts';
import {createMissing} from '../../../../agent/overview/gone.ts';
import type {Target} from '../../../../agent/targets/target.ts';
import type {BackupResult} from '../../../../base/results.ts';
import {openOnDisk} from '../../../support/doubles/disk.ts';

type Examined = Parameters<typeof diagnose>[0];

const failing = (message: string) => async () => {
	throw new Error(message);
};

/** What is examined of an agent that has one target, `shop/app`, and misses `shop/gone`. */
function setUp(
	t: ExecutionContext,
	{engine = {}, ...changes}: Partial<Record<'engine' | 'survey', object>> & Partial<Pick<Examined, 'neighbours'>> = {},
) {
	const {state, disk} = openOnDisk(t);
	state.insertRun({run: 'r1', target: 'shop/gone', operation: 'backup', trigger: 'test', queuedAt: 1});
	state.finishRun('r1', 2, {outcome: 'success'} as BackupResult);
	state.see('shop/gone', 1);
	const listed = {targets: [{name: 'shop/app', members: []} as unknown as Target], containers: [], inScope: []};
	const examined = {
		workshop: {
			engine: {
				address: 'unix:///engine.sock',
				info: async () => ({version: '28.0.0', time: Date.now()}),
				services: async () => [],
				volumes: async () => [],
				...engine,
			},
			versions: {holdfast: '1', restic: '0.19'},
			self: {mounts: []},
			restic: () => ({}),
		},
		survey: {list: async () => listed, all: failing('no worker'), ...changes.survey},
		repositories: {
			primary: {open: failing('closed'), doubt() {}, repository: {location: 's3:elsewhere', cacheDirectory: '/tmp', environment: {}}},
			copies: [],
		},
		abandoned: () => [],
		missing: createMissing({
			state,
			own: {agent: 'a', host: 'here'},
			ownership: () => ({targetOf: ({target}) => target}),
			notices: {send() {}},
			ledger: {elsewhere: () => undefined},
			shrinkLimit: 0.5,
			prefix: 'holdfast.',
		}),
		state,
		neighbours: changes.neighbours ?? (async () => ({others: []})),
		appointments: () => [],
		isSlackConnected: () => undefined,
		kitKept: () => null,
	} as unknown as Examined;
	return {
		disk,
		errors: async () =>
			(await diagnose(examined)).flatMap(({level, subject, message}) => (level === 'error' ? [`${subject}: ${message.slice(0, 50)}`] : [])),
	};
}

const [closed, noWorker, gone] = [
	'repository: closed',
	'targets: it could not be examined: no worker',
	'shop/gone: `shop/gone` was backed up until 1970-01-01T00:00:0',
];

test('with a full disk it says so, and all the rest: that an engine which answers does not answer would be wrong', async t => {
	const {disk, errors} = setUp(t);
	t.deepEqual(await errors(), [closed, noWorker, gone]);
	disk.fill();
	const [state, ...others] = await errors();
	t.regex(state ?? '', /^state: .*holdfast\.db/);
	t.deepEqual(others, [closed, noWorker, gone]);
});

test('what cannot be examined is named, and the rest is examined all the same', async t => {
	const {errors} = setUp(t, {neighbours: failing('a mistake'), engine: {volumes: failing('forbidden')}});
	t.deepEqual(await errors(), [
		closed,
		noWorker,
		'volumes: it could not be examined: forbidden',
		gone,
		'agents: it could not be examined: a mistake',
	]);
	t.deepEqual(await setUp(t, {survey: {list: failing('a mistake')}}).errors(), [closed, 'targets: it could not be examined: a mistake']);
});

test('an engine that is away is said to be', async t => {
	const {errors} = setUp(t, {engine: {info: failing('refused')}});
	t.deepEqual(await errors(), [closed, 'engine: it does not answer at unix:///engine.sock: refused']);
});
