import test from 'ava';
import type {Client} from '../../../../agent/api/client.ts';
import type {PlannedSource} from '../../../../agent/sources/source.ts';
import {createCliTest} from '../../../support/doubles/cli.ts';
import {statusView, targetView} from '../../../support/doubles/fake-agent.ts';

const problem = {message: 'unknown label `holdfast.sqllite`', hint: 'did you mean `holdfast.sqlite`?'};

test('targets fit 80 columns, and nothing of them is lost', async t => {
	const {agent, run} = await createCliTest(t);
	agent.has.targets = [
		targetView('shop/db', {sources: ['postgres:metadb', 'postgres:analytics'], quiesce: 'none'}),
		targetView('shop/application', {
			container: 'shop-application-1,shop-application-2',
			sources: ['sqlite:/data/webui.db', 'volume:/data'],
			schedule: '@hourly',
		}),
		targetView('shop/bad', {sources: [], problems: [problem]}),
	];
	const {code, out} = await run('targets', {columns: 80});
	t.is(code, 0);
	t.is(
		out,
		`\
TARGET            CONTAINER        STATE    SOURCES           QUIESCE  SCHEDULE
shop/db           shop-db-1        running  postgres:metadb,  none     0 3 * * *
                                            postgres:
                                            analytics
shop/application  shop-            running  sqlite:/data/     pause    @hourly
                  application-1,            webui.db,
                  shop-                     volume:/data
                  application-2
shop/bad          shop-bad-1       running  -                 pause    0 3 * * *
shop/bad: problem: unknown label \`holdfast.sqllite\` (did you mean \`holdfast.sqlite\`?)
`,
	);
});

test('without a terminal lines stay whole', async t => {
	const {agent, run} = await createCliTest(t);
	agent.has.targets = [targetView('shop/db', {sources: Array.from({length: 20}, (_, index) => `postgres:database_${index}`)})];
	const {out} = await run('targets');
	t.is(out.split('\n').length, 3);
	t.regex(out, /database_0, .*database_19/);
});

test('status tells points that were taken over', async t => {
	const {agent, run} = await createCliTest(t);
	agent.has.status = [
		statusView('shop/db', {newestPoint: {point: 'r5', at: '2026-11-02T11:00:00Z', adopted: true}}),
		statusView('shop/app', {newestPoint: {point: 'r6', at: '2026-11-01T11:00:00Z', adopted: false}, late: '2026-11-02T11:00:00Z'}),
	];
	const {out} = await run('status');
	t.regex(out, /^shop\/db +- +1 d ago, adopted /m);
	t.regex(out, /^shop\/app +- +2 d ago, late /m);
});

test('status says when, in words', async t => {
	const {agent, run} = await createCliTest(t);
	agent.has.status = [
		{
			target: 'shop/db',
			running: 'r9',
			lastRun: {
				run: 'r8',
				outcome: 'failed',
				startedAt: '2026-11-03T09:00:00Z',
				durationSeconds: 2,
				quiesceSeconds: 0.25,
				error: 'no space',
			},
			lastSuccess: {run: 'r7', at: '2026-11-01T11:00:00Z'},
			nextRun: '2026-11-04T03:00:00Z',
			lastDrill: {run: 'r6', outcome: 'success', point: 'r5', startedAt: '2026-11-02T11:00:00Z', durationSeconds: 9},
			lastDrillSuccess: {run: 'r6', point: 'r5', at: '2026-11-02T11:00:09Z'},
			nextDrill: null,
			problems: [],
		},
		statusView('shop/new', {problems: [problem]}),
	];
	const {code, out} = await run('status', {columns: 80});
	t.is(code, 0);
	t.is(
		out,
		`\
TARGET    LAST RUN        LAST SUCCESS  OUTAGE  NEXT RUN  LAST DRILL      NOW
shop/db   failed 3 h ago  2 d ago        250ms  in 15 h   success 1 d     run r9
                                                          ago
shop/new  -               never              -  -         -               -
shop/db: last run failed: no space
shop/new: problem: unknown label \`holdfast.sqllite\` (did you mean \`holdfast.sqlite\`?)
`,
	);
});

test('points', async t => {
	const {agent, run} = await createCliTest(t);
	agent.has.points = [
		{
			point: '01JB2M9Q',
			target: 'shop/db',
			time: '2026-11-03T11:30:00Z',
			sources: [
				{source: 'postgres:metadb', snapshot: 'a', bytes: 1_000_000},
				{source: 'volume:/data', snapshot: 'b', bytes: 500_000},
			],
			host: 'host',
			agent: 'agent-1',
			own: true,
			verifiedAt: '2026-11-03T11:50:00Z',
		},
	];
	const {code, out} = await run('points shop/db', {columns: 80});
	t.is(code, 0);
	t.regex(
		out,
		/^POINT {5}TARGET {3}MOMENT .*SIZE {2}DRILLED +SOURCES\n01JB2M9Q {2}shop\/db {2}2026-11-03 .* {2}1\.5 MB {2}10 min ago {2}postgres:/,
	);
	t.regex(out, /30 min/);
	t.true(out.split('\n').every(line => line.length <= 80));
	t.deepEqual(JSON.parse((await run('points --json')).out), agent.has.points);
	t.regex((await run('points shop/none')).err, /no restore points yet: holdfast backup shop\/none/);
});

test('long names fit a terminal of 80 columns', async t => {
	const {agent, run} = await createCliTest(t);
	const target = 'a-project-of-some-length/and-its-service';
	const sources = ['sqlite:/app/backend/data/webui.db', 'volume:/app/backend/data'];
	agent.has.targets = [targetView(target, {sources, container: 'a-project-of-some-length-and-its-service-1', schedule: '30 2 * * 1-5'})];
	const at = '2026-11-03T03:00:00Z';
	const last = {run: '20261103t030000-3f9a2c1', outcome: 'success' as const, startedAt: at, durationSeconds: 3601, quiesceSeconds: 61};
	agent.has.status = [
		statusView(target, {lastRun: last, lastSuccess: {run: last.run, at}, lastDrill: {...last, point: last.run}, running: last.run}),
	];
	agent.has.points = [
		{
			point: last.run,
			target,
			time: at,
			sources: sources.map(source => ({source, snapshot: 's', bytes: 123_456_789_012})),
			host: 'host',
			agent: 'agent-1',
			own: true,
			verifiedAt: at,
		},
	];
	agent.runs = () => [{...last, target, operation: 'backup', trigger: 'slack:U0123456789', state: 'finished', result: null}];
	agent.has.findings = [
		{level: 'warning', subject: target, message: `no target backs up ${target}`, hint: 'label it: holdfast.enable=true'},
	];
	for (const command of ['targets', 'status', 'points', 'runs', 'doctor']) {
		const {out} = await run(command, {columns: 80});
		const widest = Math.max(...out.split('\n').map(line => line.length));
		t.true(widest > 40 && widest <= 80, `${widest} columns:\n${out}`);
	}
});

test('runs, and one run', async t => {
	const {agent, run} = await createCliTest(t);
	agent.has.targets = [targetView('shop/db'), targetView('shop/app')];
	await agent.backup('shop/db', 'schedule');
	agent.finish('run-1', {outcome: 'partial', point: null, error: 'one source failed'});
	await agent.backup('shop/app', 'slack:U1');
	const [newest] = JSON.parse((await run('runs --json')).out) as Array<{startedAt: string}>;
	const {out} = await run('runs', {columns: 80}, {now: () => Date.parse(newest?.startedAt ?? '')});
	t.regex(
		out,
		/^RUN {4}TARGET {4}OPERATION {2}OUTCOME {2}STARTED {2}TOOK {2}ASKED BY\nrun-2 {2}shop\/app {2}backup {5}running {2}now +- {2}slack:U1\nrun-1 {2}shop\/db {3}backup {5}partial {2}now +1s {2}schedule\n$/,
	);
	t.like(JSON.parse((await run('runs --target shop/db --json')).out), [{run: 'run-1', outcome: 'partial'}]);

	const one = await run('runs run-1', {columns: 80});
	t.is(one.code, 0);
	t.regex(one.out, /asked by schedule\nstarted .*, partial after 1s\nTARGET[\s\S]*shop\/db: partial: one source failed\n$/);
	t.like(JSON.parse((await run('runs run-1 --json')).out), {run: 'run-1', state: 'finished'});
	t.like(await run('runs none'), {code: 2, err: 'error: there is no run `none`\n'});
});

test('doctor exits with 1 when something is wrong', async t => {
	const {agent, run} = await createCliTest(t);
	agent.has.findings = [{level: 'warning', subject: 'shop/db', message: 'looks like Postgres', hint: 'label it'}];
	t.deepEqual(await run('doctor', {columns: 80}), {
		code: 0,
		out: 'LEVEL    SUBJECT  FINDING\nwarning  shop/db  looks like Postgres (label it)\n',
		err: '',
	});
	agent.has.findings.push({level: 'error', subject: 'repository', message: 'wrong password'});
	const {code, out} = await run('doctor --json');
	t.is(code, 1);
	t.deepEqual(JSON.parse(out), agent.has.findings);
});

test('a plan of one, and of all with one that has problems', async t => {
	const {agent, run} = await createCliTest(t);
	agent.has.targets = [targetView('shop/db'), targetView('shop/bad')];
	const container = {
		id: 'i',
		name: 'shop-db-1',
		image: '',
		imageId: '',
		state: 'running' as const,
		createdAt: 0,
		dependsOn: [],
		labels: {},
		mounts: [],
	};
	agent.has.plans.set('shop/db', {
		target: 'shop/db',
		sources: [
			{
				name: 'volume:/data',
				container,
				kind: 'volume',
				exclude: ['cache'],
				mount: {type: 'volume', hostPath: '/v', path: '/data', readWrite: true},
			} as PlannedSource,
		],
		quiesce: [{container, action: 'pause', reason: 'the target'}],
		resting: [],
		hooks: [{container, when: 'before', hook: {argv: ['sync', '-d'], timeoutMs: 1, onError: 'fail'}}],
		absent: [],
		snapshots: [],
		quiesceTimeoutMs: 300_000,
		schedule: '0 3 * * *',
		scheduleFrom: 'default',
		notes: ['a note'],
	});
	t.deepEqual(await run('plan shop/db', {columns: 80}), {
		code: 0,
		err: '',
		out: `\
shop/db  schedule 0 3 * * * (default)
  back up  volume:/data of shop-db-1 without cache
  run before in shop-db-1: sync -d
  pause    shop-db-1 (the target)
  outage   at most 5m
  note     a note
`,
	});
	t.like(JSON.parse((await run('plan shop/db --json')).out), {target: 'shop/db'});
	const all = await run('plan --json');
	t.is(all.code, 1);
	t.like(JSON.parse(all.out), [{target: 'shop/db'}, {target: 'shop/bad', error: '`shop/bad` has problems'}]);
	t.is((await run('plan shop/none')).code, 2);
});

test('version, healthcheck, cancel', async t => {
	const {agent, run, stopServer} = await createCliTest(t);
	t.deepEqual(await run('version'), {code: 0, out: '1.2.3\n', err: ''});
	t.deepEqual(await run('version --json'), {code: 0, out: '{"version":"1.2.3"}\n', err: ''});
	t.deepEqual(await run('healthcheck'), {code: 0, out: '', err: ''});

	agent.has.targets = [targetView('a/a')];
	await agent.backup('a/a', 'api');
	t.like(await run('cancel run-1'), {code: 0, out: ''});
	t.deepEqual(agent.calls.at(-1), {cancel: 'run-1'});
	t.is((await run('cancel none')).code, 2);

	agent.has.health = {healthy: false, problems: ['the engine is away']};
	t.deepEqual(await run('healthcheck'), {code: 1, out: '', err: 'the engine is away\n'});
	await stopServer();
	t.like(await run('healthcheck'), {code: 1});
	t.like(await run('targets'), {code: 1, out: ''});
});

test('where there are no targets the next step is named', async t => {
	const {run} = await createCliTest(t);
	for (const command of ['targets', 'status', 'plan']) {
		t.like(await run(command), {code: 0, out: ''});
		t.regex((await run(command)).err, /holdfast\.enable=true/);
		t.deepEqual(await run(`${command} --json`), {code: 0, out: '[]\n', err: ''});
	}
});

test('the fleet shows every host, and which does not answer', async t => {
	const {agent, run} = await createCliTest(t);
	const other = await createCliTest(t);
	const at = '2026-11-03T11:00:00.000Z';
	agent.has.status = [statusView('shop/db', {lastSuccess: {run: 'r', at, bytes: 5000}}), statusView('shop/app', {late: at})];
	const fleet = (name: string, double: typeof agent) => ({name, client: double as unknown as Client});
	const away = {url: 'http://c:1', about: async () => ({version: '1'}), status: () => Promise.reject(new Error('nobody is there'))};
	const connectFleet = async () => [
		fleet('alpha', {...agent, url: 'http://a:1', about: async () => ({version: '1'})} as unknown as typeof agent),
		fleet('beta', {...other.agent, url: 'http://b:1', about: async () => ({version: '2'})} as unknown as typeof agent),
		{name: 'gamma', client: away as unknown as Client},
	];
	const {code, out} = await run('fleet status', {}, {connectFleet});
	t.is(code, 1, 'one does not answer');
	t.regex(out, /^alpha +shop\/db .* 5 kB/m);
	t.regex(out, /^alpha +shop\/app/m);
	t.regex(out, /^beta +no targets/m);
	t.regex(out, /^beta: it runs version 2, and others run 1$/m);
	t.regex(out, /^gamma: does not answer: nobody is there$/m);
	t.regex(out, /^3 hosts, 2 targets, 5 kB; 1 late, 0 gone, 0 with problems$/m);
	const views = JSON.parse((await run('fleet --json', {}, {connectFleet})).out);
	t.deepEqual(
		views.map(({host, late, bytes, error}: Record<string, unknown>) => [host, late, bytes, error]),
		[
			['alpha', 1, 5000, undefined],
			['beta', 0, 0, undefined],
			['gamma', 0, 0, 'nobody is there'],
		],
	);
	t.is((await run('fleet status')).code, 0, 'without a fleet, the agent of this container');
});
