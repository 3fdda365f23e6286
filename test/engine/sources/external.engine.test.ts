/** Servers outside the target's container, and whole servers: dumped, restored, undone and rehearsed; and what is refused. */
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import type {DrillResult, RestoreResult} from '../../../base/results.ts';
import type {PointView, TargetView} from '../../../base/shapes.ts';
import {makeKeyCheap} from '../../support/cheap-key.ts';
import {docker, tryDocker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const password = 'hunter2 of the "database"';
const odd = "host=evil dbname='x";

const server = async (image: string, rest: Record<string, unknown> = {}) => ({
	image: await ensureImage(image),
	environment: {POSTGRES_PASSWORD: password, POSTGRES_DB: 'shop'},
	...rest,
});

const labels = (host: string, more: Record<string, string> = {}) => ({
	'holdfast.enable': 'true',
	'holdfast.postgres': 'true',
	'holdfast.postgres.host': host,
	'holdfast.postgres.password-secret': 'database',
	...more,
});

/** Commits rows all the time, in a server that it only knows by name. */
const application = async (more: Record<string, string>) => ({
	image: await ensureImage('holdfast-test/app:latest'),
	init: true,
	entrypoint: ['bash', '-c'],
	command: [
		'until psql -qc "create table if not exists orders (id bigserial primary key)"; do sleep 0.2; done; while :; do psql -qc "insert into orders default values"; sleep 0.1; done',
	],
	environment: {PGHOST: 'db', PGUSER: 'postgres', PGPASSWORD: password, PGDATABASE: 'shop'},
	labels: labels('db', more),
});

const idle = async (more: Record<string, string>) => ({
	image: await ensureImage('holdfast-test/app:latest'),
	init: true,
	entrypoint: ['sleep', 'infinity'],
	labels: more,
});

const psql = async (stack: Stack, sql: string, database = 'shop', service = 'db') =>
	stack.exec(service, 'psql', '-h', '127.0.0.1', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres', '-d', database, '-c', sql);

const json = async <Value>(stack: Stack, ...args: string[]): Promise<Value> => {
	const {stdout, stderr} = await stack.holdfast(...args, '--json');
	if (stdout === '') {
		throw new Error(`holdfast ${args.join(' ')}: ${stderr}`);
	}

	return JSON.parse(stdout) as Value;
};

const problemsOf = async (stack: Stack, service: string): Promise<string> => {
	const targets = await json<TargetView[]>(stack, 'targets');
	return JSON.stringify(targets.find(({target}) => target === `${stack.project}/${service}`)?.problems);
};

/** Nothing until it is settled: by itself, or by the agent's next life. */
async function outcomeOf(stack: Stack, run: string): Promise<string | false> {
	const {body} = await stack.api('GET', '/api/v1/runs?limit=5');
	const later = (body as Array<{run: string; state: string; outcome: string | null}>).filter(other => other.run >= run);
	return later.every(({state}) => state === 'finished') && (later.find(other => other.run === run)?.outcome ?? false);
}

/** What the engine and the host tell of the run's workers, looked at until the work is over. */
async function watchWorkers(work: Promise<unknown>): Promise<string> {
	const seen: string[] = [];
	const state = {done: false};
	const over = work.finally(() => {
		state.done = true;
	});
	while (!state.done) {
		const ids = (await docker(['ps', '--quiet', '--filter', 'name=holdfast-client-'])).split('\n').filter(Boolean);
		for (const id of ids) {
			seen.push((await tryDocker(['inspect', id])) ?? '', (await tryDocker(['top', id, '-o', 'pid,args'])) ?? '');
		}
	}

	await over;
	return seen.join('\n');
}

/** With a folder of the host as `/run/secrets`. */
async function startWithSecrets(t: Parameters<typeof startStack>[0], services: Record<string, Record<string, unknown>>) {
	const folder = await mkdtemp(join(tmpdir(), 'holdfast-secrets-'));
	const stack = await startStack(t, {
		services,
		holdfast: {
			volumes: [
				'/var/run/docker.sock:/var/run/docker.sock',
				'hf-repository:/repository',
				'hf-state:/state',
				'hf-cache:/cache',
				`${folder}:/run/secrets:ro`,
			],
		},
	});
	t.teardown(() => rm(folder, {recursive: true, force: true}));
	await makeKeyCheap(stack.container('holdfast'));
	return {stack, secret: (name: string) => join(folder, `${stack.project}.${name}`)};
}

test.serial('a server elsewhere: refused for a reason, then dumped, restored, undone, let go and rehearsed', async t => {
	t.timeout(10 * 60_000);
	const {stack, secret} = await startWithSecrets(t, {
		db: await server('postgres:17'),
		newer: await server('postgres:18'),
		app: await application({'holdfast.postgres': 'shop', 'holdfast.drill.image': await ensureImage('postgres:17')}),
		modern: await idle(labels('newer')),
		hostile: await idle(labels('db', {'holdfast.postgres': 'shop', 'holdfast.postgres.restore.before-sql': '\\! sleep 0'})),
		lost: await idle(labels('nowhere.invalid', {'holdfast.postgres.password-secret': 'other'})),
	});
	const target = `${stack.project}/app`;
	t.regex(await problemsOf(stack, 'app'), /password-secret` names `database`, and Holdfast has no file `\/run\/secrets\/[\w-]+\.database`/);
	await writeFile(secret('database'), 'something else\n');
	t.regex(await problemsOf(stack, 'app'), /password authentication failed/);
	const refused = await stack.holdfast('backup', target);
	t.not(refused.exitCode, 0);
	await writeFile(secret('database'), `${password}\n`, {mode: 0o600});
	await until('the application writes', async () => Number(await psql(stack, 'select count(*) from orders')) > 3, {timeout: 60_000});
	t.is(await problemsOf(stack, 'app'), '[]');
	t.regex(await problemsOf(stack, 'modern'), /at `newer:5432` is PostgreSQL 18\S* .*must not be older, is \(PostgreSQL\) 17/);
	t.regex(await problemsOf(stack, 'lost'), /no file/);
	t.regex((await stack.holdfast('plan', target)).stdout, /postgres:shop of \S+ at db:5432/);

	await psql(stack, 'create role clerk; create table marker as select 42 as answer; alter table marker owner to clerk');
	await psql(stack, 'create table bulk as select i, repeat(md5(i::text), 8) as payload from generate_series(1, 300000) i');
	await psql(stack, 'create index on bulk (payload)');
	const running = stack.backup(target);
	const told = await watchWorkers(running);
	const [backup] = await running;
	t.is(backup?.outcome, 'success', backup?.error);
	t.is(backup?.quiesceSeconds, 0);
	t.regex(told, /holdfast-client-/);
	t.regex(told, /pg_dump|psql/);
	t.false(told.includes('hunter2'), 'the password is in no argument and no configuration');

	const startedAt = async () => docker(['inspect', '--format', '{{.State.StartedAt}}', stack.container('app')]);
	const before = await startedAt();
	const beside = await stack.restore(target, '--into', 'copy of shop');
	t.is(beside.outcome, 'success', beside.error);
	t.is(await psql(stack, 'select answer from marker', 'copy of shop'), '42');
	t.is(await startedAt(), before);

	const hostile = `${stack.project}/hostile`;
	const [stored] = await stack.backup(hostile);
	t.is(stored?.outcome, 'success', stored?.error);
	const stopped = await stack.restore(hostile, '--into', 'of the hostile one');
	t.is(stopped.outcome, 'failed');
	t.regex(stopped.error ?? '', /PostgreSQL refused: .*\\!/s);
	t.is(await psql(stack, "select count(*) from pg_database where datname ~ 'hostile'"), '0');

	await psql(stack, 'drop table marker');
	const restoring = stack.restore(target);
	const loading = "select count(*) from pg_stat_activity where application_name = 'pg_restore'";
	await until('several sessions load it', async () => Number(await psql(stack, loading, 'postgres')) > 1, {timeout: 120_000, interval: 50});
	const restored = await restoring;
	t.is(restored.outcome, 'success', restored.error);
	t.true(restored.outageSeconds > 0);
	t.not(await startedAt(), before, 'the application was stopped');
	t.is(await psql(stack, 'select answer from marker'), '42');
	t.is(await psql(stack, "select tableowner from pg_tables where tablename = 'marker'"), 'clerk');
	await until('the application goes on', async () => {
		const [first, second] = [await psql(stack, 'select count(*) from orders'), await psql(stack, 'select count(*) from orders')];
		return Number(second) > 3 && first !== undefined;
	});
	const undone = await json<RestoreResult>(stack, 'restore', 'undo', restored.run);
	t.is(undone.outcome, 'success', undone.error);
	t.is(await psql(stack, "select to_regclass('marker') is null"), 't');

	const {body} = await stack.api('POST', '/api/v1/restore', {target});
	const {run} = body as {run: string};
	for await (const event of stack.follow(run)) {
		if (event.type === 'step' && event.step === 'load') {
			break;
		}
	}

	const strays = "select count(*) from pg_database where datname ~ '_restore_|_before_'";
	await until('a database is made', async () => (await psql(stack, strays)) !== '0', {timeout: 60_000, interval: 20});
	await docker(['kill', stack.container('holdfast')]);
	await docker(['start', stack.container('holdfast')]);
	await stack.ready();
	const outcome = await until('the interrupted restore is settled', async () => outcomeOf(stack, run), {timeout: 90_000});
	if (outcome === 'success') {
		t.log('the restore was faster than its kill');
		t.is((await stack.holdfast('restore', 'undo', run)).exitCode, 0);
	}

	await until('it is rolled back', async () => (await psql(stack, strays)) === '0', {timeout: 90_000});
	t.is(await stack.state('app'), 'running');

	const again = await stack.restore(target);
	t.is(again.outcome, 'success', again.error);
	t.is((await stack.holdfast('restore', 'finish', again.run)).exitCode, 0);
	t.is(await psql(stack, strays), '0');
	t.is(await psql(stack, 'select answer from marker'), '42');

	const drilled = await json<DrillResult | DrillResult[]>(stack, 'drill', target);
	t.regex(JSON.stringify(drilled), /"outcome":"success".*loaded by PostgreSQL 17/);
	t.false((await docker(['logs', stack.container('holdfast')])).includes('hunter2'));
});

test.serial('whole servers, in a container and elsewhere: nothing is left out in silence, and everything comes back', async t => {
	t.timeout(10 * 60_000);
	const whole = {'holdfast.postgres.format': 'all'};
	const {stack, secret} = await startWithSecrets(t, {
		db: await server('postgres:17', {labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'true', ...whole}}),
		far: await idle(labels('db', {...whole, 'holdfast.postgres.exclude': 'vault'})),
	});
	await writeFile(secret('database'), password);
	const [near, far] = [`${stack.project}/db`, `${stack.project}/far`];
	await until('the server answers', async () => (await psql(stack, 'select 1').catch(() => '')) === '1', {timeout: 60_000});
	const statements = [
		"create role clerk login password 'a word'",
		'create role boss in role clerk',
		'create database vault',
		'alter database vault allow_connections false',
		`create database "${odd}" owner clerk`,
		'create table notes (note text)',
		"insert into notes values ('of the maintenance database')",
	];
	for (const statement of statements) {
		await psql(stack, statement, 'postgres');
	}

	const oddName = `dbname='${odd.replaceAll("'", String.raw`\'`)}'`;
	await psql(stack, 'create table "Select" as select i from generate_series(1, 1000) i', oddName);
	// What a server said is kept for some seconds.
	await until('the closed database is a problem', async () =>
		/vault.*allows no connections, so a dump of the whole server would lack it/.test(await problemsOf(stack, 'db')),
	);
	t.not((await stack.holdfast('backup', near)).exitCode, 0);
	t.is(await problemsOf(stack, 'far'), '[]');

	const [distant] = await stack.backup(far);
	t.is(distant?.outcome, 'success', distant?.error);
	t.deepEqual(distant?.sources.map(({source}) => source).toSorted(), [`postgres:${odd}`, 'postgres:postgres', 'postgres:shop']);
	await psql(stack, 'drop database vault', 'postgres');
	const [local] = await stack.backup(near);
	t.is(local?.outcome, 'success', local?.error);
	const [point] = await json<PointView[]>(stack, 'points', near);
	const stored = point?.sources.find(({source}) => source === `postgres:${odd}`);
	const paths = (await stack.restic('ls', stored?.snapshot ?? '')).split('\n').filter(line => line.includes('/postgres/'));
	const sql = await stack.restic('dump', stored?.snapshot ?? '', paths.at(-1) ?? '');
	t.regex(sql, /CREATE TABLE "public"."Select"/);
	t.regex(sql, /-- PostgreSQL database dump complete/);

	for (const target of [near, far]) {
		for (const statement of [`drop database "${odd}"`, 'drop role boss', 'drop role clerk', 'drop table notes']) {
			await psql(stack, statement, 'postgres');
		}

		const restored = await stack.restore(target);
		t.is(restored.outcome, 'success', restored.error);
		t.is(await psql(stack, 'select count(*) from "Select"', oddName), '1000');
		t.is(await psql(stack, 'select note from notes', 'postgres'), 'of the maintenance database');
		t.is(await psql(stack, "select pg_has_role('boss', 'clerk', 'member')", 'postgres'), 't');
		t.is(await psql(stack, "select rolpassword ~ '^SCRAM' from pg_authid where rolname = 'clerk'", 'postgres'), 't');
		t.is((await stack.holdfast('restore', 'finish', restored.run)).exitCode, 0);
	}

	const drill = await stack.holdfast('drill', near, '--json');
	t.is(drill.exitCode, 0, drill.stdout + drill.stderr);
	const blind = await stack.holdfast('drill', far);
	t.not(blind.exitCode, 0);
	t.regex(blind.stdout + blind.stderr, /`holdfast\.drill\.image` must name an image/);
});
