/** Bytebase's two ways (docs/systems/bytebase.md): metadata in a database of its own server, and a server of its own in the data directory. */
import test from 'ava';
import type {RunEvent} from '../../../base/events.ts';
import type {RestoreResult} from '../../../base/results.ts';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const password = 'secret';

const server = async (rest: Record<string, unknown>) => ({
	image: await ensureImage('postgres:17'),
	healthcheck: {test: ['CMD', 'pg_isready', '-h', '127.0.0.1', '-U', 'postgres'], interval: '1s', retries: 60},
	...rest,
});

/** Commits rows all the time, and notes each after its commit. Nobody says that it depends on the server: it is not stopped. */
const writer = async (host: string, database: string) => ({
	image: await ensureImage('holdfast-test/app:latest'),
	command: ['write-postgres', '/log'],
	environment: {PGHOST: host, PGUSER: 'postgres', PGPASSWORD: password, PGDATABASE: database},
});

const psql = async (stack: Stack, service: string, database: string, sql: string) =>
	stack.exec(service, 'psql', '-h', '127.0.0.1', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres', '-d', database, '-c', sql);

async function eventsOf(stack: Stack, run: string): Promise<RunEvent[]> {
	const events: RunEvent[] = [];
	for await (const event of stack.follow(run)) {
		events.push(event);
	}

	return events;
}

const stepAt = (events: readonly RunEvent[], step: string): number =>
	events.find(event => event.type === 'step' && event.step === step)?.at ?? Number.NaN;

/** The result of a run that the agent's death may have ended, when nothing is left to be rolled back. */
async function settled(stack: Stack, run: string): Promise<RestoreResult> {
	return until(
		'the interrupted restore is settled',
		async () => {
			const {body} = await stack.api('GET', '/api/v1/runs?limit=5');
			const later = (body as Array<{run: string; state: string; result: RestoreResult | null}>).filter(other => other.run >= run);
			return later.every(({state}) => state === 'finished') && later.find(other => other.run === run)?.result;
		},
		{timeout: 120_000, interval: 500},
	);
}

test.serial('metadata in its own server: beside the live database under another name, in its place, and let go in time', async t => {
	t.timeout(10 * 60_000);
	const labels = {
		'holdfast.enable': 'true',
		'holdfast.postgres': 'metadb',
		'holdfast.restore.warning': 'mind the users',
		'holdfast.postgres.restore.before-sql': `create table told_before as select :'old_name' as old, :'new_name' as new`,
		'holdfast.postgres.restore.after-sql': `update migration_history set namespace = :'new_name' where namespace = :'old_name'`,
	};
	const stack = await startStack(t, {
		services: {
			db: await server({environment: {POSTGRES_PASSWORD: password, POSTGRES_DB: 'metadb'}, labels}),
			writer: await writer('db', 'metadb'),
			bytebase: {image: await ensureImage('holdfast-test/app:latest'), command: ['sleep', 'infinity'], init: true, depends_on: ['db']},
		},
	});
	const target = `${stack.project}/db`;
	const ask = async (sql: string, database = 'metadb') => psql(stack, 'db', database, sql);
	await until('the application writes', async () => Number(await ask('select count(*) from entries')) > 3, {timeout: 90_000});
	await ask(`create role bb; create table migration_history (n int primary key, namespace text);
		insert into migration_history values (1, 'metadb'), (2, 'metadb'), (3, 'other');
		create table bulk as select i, repeat(md5(i::text), 8) as payload from generate_series(1, 200000) i`);
	await ask('alter database metadb owner to bb', 'postgres');
	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);
	const liveOid = await ask("select oid from pg_database where datname = 'metadb'");
	const startedAt = async () => docker(['inspect', '--format', '{{.State.StartedAt}}', stack.container('bytebase')]);
	const before = await startedAt();

	const beside = await stack.restore(target, '--into', 'metadb2');
	t.is(beside.outcome, 'success', beside.error);
	t.like(beside, {into: 'metadb2', replaced: [], outageSeconds: 0});
	t.is(await ask('select string_agg(namespace, $$,$$ order by n) from migration_history', 'metadb2'), 'metadb2,metadb2,other');
	t.is(await ask('select old || new from told_before', 'metadb2'), 'metadbmetadb2');
	t.is(await ask("select pg_get_userbyid(datdba) from pg_database where datname = 'metadb2'"), 'bb');
	t.is(await ask('select string_agg(namespace, $$,$$ order by n) from migration_history'), 'metadb,metadb,other');
	t.is(await ask("select oid from pg_database where datname = 'metadb'"), liveOid);
	t.is(await startedAt(), before);

	const refused = await stack.holdfast('restore', target, '--into', 'metadb2', '--yes');
	t.is(refused.exitCode, 2);
	t.regex(refused.stderr, /there is a database `metadb2` already/);
	const unread = await stack.api('POST', '/api/v1/restore', {target});
	t.is(unread.status, 400);
	t.regex(JSON.stringify(unread.body), /must be acknowledged.*mind the users/);
	const undone = JSON.parse((await stack.holdfast('restore', 'undo', beside.run, '--json')).stdout) as RestoreResult;
	t.is(undone.outcome, 'success', undone.error);
	const names = "select string_agg(datname, ',' order by datname) from pg_database where datname ~ 'metadb'";
	t.is(await ask(names), 'metadb');
	t.is(await startedAt(), before);

	for (const step of ['load', 'swap']) {
		const {body} = await stack.api('POST', '/api/v1/restore', {target, into: 'metadb3', acknowledged: true});
		const {run} = body as {run: string};
		for await (const event of stack.follow(run)) {
			if (event.type === 'step' && event.step === step) {
				break;
			}
		}

		await docker(['kill', stack.container('holdfast')]);
		await docker(['start', stack.container('holdfast')]);
		await stack.ready();
		const {outcome} = await settled(stack, run);
		const databases = outcome === 'success' ? 'metadb,metadb3' : 'metadb';
		await until(`${databases} after a kill at ${step}`, async () => (await ask(names)) === databases, {timeout: 60_000});
		t.is(await ask("select oid from pg_database where datname = 'metadb'"), liveOid);
		t.is(await startedAt(), before);
		if (outcome === 'success') {
			t.is((await stack.holdfast('restore', 'undo', run)).exitCode, 0);
		}
	}

	const swapped = await stack.restore(target);
	t.is(swapped.outcome, 'success', swapped.error);
	t.is(await ask('select count(*) from bulk'), '200000');
	t.not(await startedAt(), before);
	t.is(await ask('select string_agg(namespace, $$,$$ order by n) from migration_history'), 'metadb,metadb,other');
	const events = await eventsOf(stack, swapped.run);
	t.true(events.some(event => event.type === 'warning' && event.message === 'mind the users (acknowledged by cli)'));
	const [old = ''] = (await ask("select datname from pg_database where datname ~ '^metadb_before_'")).split('\n');
	await ask(`alter database "${old}" allow_connections true`, 'postgres');
	const lastOld = await ask('select max(written_at) from entries', old);
	const outage = Number(
		await until('the writer goes on', () =>
			ask(`select extract(epoch from min(written_at) - '${lastOld}') from entries where written_at > '${lastOld}'`),
		),
	);
	const steps = (stepAt(events, 'start') - stepAt(events, 'swap')) / 1000;
	t.log(`the swap took ${steps} s, and the writer missed ${outage} s`);
	t.true(steps < 2, `${steps} s`);
	t.true(outage < 2, `${outage} s`);

	await stack.change({environment: {HOLDFAST_KEEP_REPLACED: '1s'}});
	await stack.ready();
	await until(
		'what was replaced is let go',
		async () => (await ask("select count(*) from pg_database where datname ~ '_before_'")) === '0',
		{
			timeout: 60_000,
		},
	);
	t.is(await ask('select count(*) from bulk'), '200000');
	await until('the run that let go is in the history', async () => {
		const {body} = await stack.api('GET', '/api/v1/runs?limit=1');
		return (body as Array<{trigger: string; outcome: string | null}>).some(
			({trigger, outcome}) => trigger === 'schedule' && outcome === 'success',
		);
	});
	t.is((await stack.holdfast('restore', 'undo', swapped.run)).exitCode, 2);
});

test.serial(
	'a server in the data directory: the restored cluster starts, and has every row that was committed before the moment',
	async t => {
		t.timeout(10 * 60_000);
		const stack = await startStack(t, {
			volumes: ['data'],
			services: {
				bytebase: await server({
					environment: {POSTGRES_PASSWORD: password, POSTGRES_DB: 'bb', PGDATA: '/var/opt/bytebase/pgdata'},
					volumes: ['data:/var/opt/bytebase'],
					labels: {'holdfast.enable': 'true', 'holdfast.volumes': '/var/opt/bytebase'},
				}),
				writer: await writer('bytebase', 'bb'),
			},
		});
		const target = `${stack.project}/bytebase`;
		const ask = async (sql: string) => psql(stack, 'bytebase', 'bb', sql);
		await until('the application writes', async () => Number(await ask('select count(*) from entries')) > 30, {timeout: 90_000});
		const [backup] = await stack.backup(target);
		t.is(backup?.outcome, 'success', backup?.error);
		const events = await eventsOf(stack, backup?.run ?? '');
		const noted = (await stack.exec('writer', 'find', '/log', '-type', 'f', '-printf', '%f %T@\\n'))
			.split('\n')
			.map(line => line.split(' ').map(Number) as [number, number]);
		const newestUntil = (at: number) => Math.max(...noted.filter(([, seconds]) => seconds * 1000 <= at).map(([n]) => n));
		await stack.compose('stop', '--timeout', '1', 'writer');
		t.true((backup?.quiesceSeconds ?? 0) > 0);

		await ask('truncate entries; create table later (n int); checkpoint');
		const restored = await stack.restore(target);
		t.is(restored.outcome, 'success', restored.error);
		await until('the restored cluster answers', () => ask('select 1'), {timeout: 60_000});
		const [count = 0, newest = 0] = (await ask('select count(*), max(n) from entries')).split('|').map(Number);
		t.is(count, newest, 'no row is missing in between');
		const [least, most] = [newestUntil(stepAt(events, 'quiesce')), newestUntil(stepAt(events, 'resume'))];
		t.log(`${least} rows were noted before the pause, ${most} before its end, and ${newest} came back`);
		t.true(least > 30);
		t.true(newest >= least, `${newest} < ${least}`);
		t.true(newest <= most + 1, `${newest} > ${most}`);
		t.is(await ask("select count(*) from pg_class where relname = 'later'"), '0');
		await ask(
			'set default_transaction_read_only = off; create extension if not exists amcheck; select count(bt_index_check(c.oid)) from pg_class c where relkind = $$i$$ and relam = 403 and relpersistence = $$p$$',
		);
	},
);
