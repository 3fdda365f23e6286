/** Engines whose containers' root is not the host's: userns-remap, and rootless Docker. What works there, and the one line where something does not. Lane: waits. */
import {existsSync} from 'node:fs';
import test, {type ExecutionContext} from 'ava';
import type {DrillResult} from '../../../base/results.ts';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {canStartSecondEngine} from '../../support/machine/second-engine.ts';
import {type RootlessEngine, startRemappedEngine, startRootlessEngine} from '../../support/machine/user-namespaces.ts';
import {type Service, type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const image = process.env.HOLDFAST_TEST_IMAGE ?? 'holdfast:dev';

/** Rootless, without root's help there are control groups only where the host has cgroup v2. */
const hasGroups = existsSync('/sys/fs/cgroup/cgroup.controllers');

const writer = `sqlite3 /data/a.db 'pragma journal_mode=wal; create table t(x)'; mkdir /data/up; chown 33:33 /data/up; trap 'exit 0' TERM
while :; do sqlite3 -cmd '.timeout 5000' /data/a.db 'insert into t values (1)'; date >/data/up/now; sleep 0.2; done`;

const services = async (quiesce: string): Promise<Record<string, Service>> => ({
	app: {
		image: await ensureImage('holdfast-test/app:latest'),
		init: true,
		command: ['sh', '-c', writer.replaceAll('$', '$$$$')],
		volumes: ['data:/data'],
		labels: {'holdfast.enable': 'true', 'holdfast.volumes': 'true', 'holdfast.sqlite': '/data/a.db', 'holdfast.quiesce': quiesce},
	},
	db: {
		image: await ensureImage('postgres:17'),
		environment: {POSTGRES_PASSWORD: 'example', POSTGRES_DB: 'shop'},
		volumes: ['db:/var/lib/postgresql/data'],
		labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'shop'},
	},
});

/** Round trips, a rehearsal, and a death while the application stands still. */
async function proveAll(t: ExecutionContext, stack: Stack, still: 'paused' | 'exited'): Promise<void> {
	const {project} = stack;
	const sql = async (query: string) => stack.exec('db', 'psql', '-U', 'postgres', '-d', 'shop', '-Atc', query);
	await until(
		'the server',
		async () =>
			sql('create table if not exists kept as select 1 as x').then(
				() => true,
				() => false,
			),
		{timeout: 60_000},
	);
	await until(
		'the application to write',
		async () =>
			stack.exec('app', 'cat', '/data/up/now').then(
				() => true,
				() => false,
			),
		{timeout: 60_000},
	);
	await stack.exec('app', 'install', '-o', '33', '-g', '33', '-m', '640', '/dev/null', '/data/kept');
	for (const result of await stack.backup('--all')) {
		t.is(result.outcome, 'success', JSON.stringify(result));
	}

	await stack.exec('app', 'rm', '/data/kept');
	await sql('drop table kept');
	const isThere = {
		app: async () => (await stack.exec('app', 'sh', '-c', 'stat -c "%u %a" /data/kept || true')) === '33 640',
		db: async () => (await sql("select count(*) from pg_tables where tablename = 'kept'")) === '1',
	};
	for (const service of ['app', 'db'] as const) {
		t.false(await isThere[service]());
		const restored = await stack.restore(`${project}/${service}`);
		t.is(restored.outcome, 'success', restored.error);
		t.true(await isThere[service](), `${service} is back, with its owners`);
		const undone = await stack.holdfast('restore', 'undo', restored.run, '--yes');
		t.is(undone.exitCode, 0, undone.stderr);
		t.false(await isThere[service](), `${service}: undone`);
	}

	const drill = JSON.parse((await stack.holdfast('drill', `${project}/db`, '--json')).stdout) as DrillResult;
	t.is(drill.outcome, 'success', drill.error);

	// The moment is short: again where it was over before the kill.
	let stood = '';
	for (let attempt = 0; attempt < 5 && stood !== still; attempt++) {
		if (attempt > 0) {
			await stack.docker(['start', stack.container('holdfast')]);
			await stack.ready();
		}

		const running = stack.holdfast('backup', `${project}/app`);
		await until('the application to stand still', async () => (await stack.state('app')) === still, {timeout: 60_000, interval: 5});
		await stack.docker(['kill', '--signal=KILL', stack.container('holdfast')]);
		stood = await stack.state('app');
		await running;
	}

	t.is(stood, still);
	await stack.docker(['start', stack.container('holdfast')]);
	await until('the application to be put back', async () => (await stack.state('app')) === 'running', {timeout: 120_000});
	await stack.ready();
	const [last] = await stack.backup(`${project}/app`);
	t.is(last?.outcome, 'success', last?.error);
}

async function prepare(t: ExecutionContext, engine: RootlessEngine): Promise<void> {
	t.teardown(engine.remove);
	await engine.load([image, await ensureImage('holdfast-test/app:latest'), await ensureImage('postgres:17')]);
}

if (await canStartSecondEngine()) {
	test.serial('userns-remap: the socket is shut, and one line says what to set; with that, all works', async t => {
		t.timeout(15 * 60_000);
		const engine = await startRemappedEngine();
		await prepare(t, engine);
		const {host, socket} = engine;
		await docker(['run', '--detach', '--name', 'shut', '--volume', `${socket}:/var/run/docker.sock`, image], {host});
		const said = /`\/var\/run\/docker\.sock` belongs to uid 65534.*`userns_mode: host`/;
		await until('it to say what to set', async () => said.test(await docker(['logs', 'shut'], {host})), {timeout: 60_000});
		await docker(['rm', '--force', '--volumes', 'shut'], {host});
		const stack = await startStack(t, {
			engine,
			services: await services('pause'),
			volumes: ['data', 'db'],
			holdfast: {userns_mode: 'host', cap_add: ['DAC_OVERRIDE']},
		});
		await proveAll(t, stack, 'paused');
	});

	test.serial('rootless Docker: all works; without control groups nothing can be paused, and the error says what to set', async t => {
		t.timeout(15 * 60_000);
		const engine = await startRootlessEngine().catch((error: unknown) => String(error));
		if (typeof engine === 'string') {
			console.error(`holdfast: NOTHING IS KNOWN OF ROOTLESS DOCKER: ${engine}`);
			t.pass();
			return;
		}

		await prepare(t, engine);
		const stack = await startStack(t, {engine, services: await services(hasGroups ? 'pause' : 'stop'), volumes: ['data', 'db']});
		if (!hasGroups) {
			t.regex((await stack.holdfast('doctor')).stdout, /this engine cannot pause a container.*`holdfast\.quiesce=stop`/);
		}

		await proveAll(t, stack, hasGroups ? 'paused' : 'exited');
	});
} else {
	test.skip('only root on Debian with a local engine can start a second one', t => t.pass());
}
