/** Servers outside the target's container, and whole servers: deaths, rehearsals, and nothing left out in silence. */
import {writeFile} from 'node:fs/promises';
import test from 'ava';
import type {DrillResult} from '../../../base/results.ts';
import type {PointView} from '../../../base/shapes/points.ts';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {application, idle, json, labels, password, problemsOf, psql, server, startWithSecrets} from '../../support/stack/far-server.ts';
import type {Stack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const odd = "host=evil dbname='x";

/** Nothing until it is settled: by itself, or by the agent's next life. */
async function outcomeOf(stack: Stack, run: string): Promise<string | false> {
	const {body} = await stack.api('GET', '/api/v1/runs?limit=5');
	const later = (body as Array<{run: string; state: string; outcome: string | null}>).filter(other => other.run >= run);
	return later.every(({state}) => state === 'finished') && (later.find(other => other.run === run)?.outcome ?? false);
}

test.serial(
	'a server elsewhere: SQL of a label that would run a program, an agent that dies while it loads, letting go and a rehearsal',
	async t => {
		t.timeout(10 * 60_000);
		const {stack, secret} = await startWithSecrets(t, {
			db: await server('postgres:17'),
			app: await application({'holdfast.postgres': 'shop', 'holdfast.drill.image': await ensureImage('postgres:17')}),
			hostile: await idle(labels('db', {'holdfast.postgres': 'shop', 'holdfast.postgres.restore.before-sql': '\\! sleep 0'})),
		});
		const target = `${stack.project}/app`;
		await writeFile(secret('database'), `${password}\n`, {mode: 0o600});
		await until('the application writes', async () => Number(await psql(stack, 'select count(*) from orders')) > 3, {timeout: 60_000});
		await psql(stack, 'create table marker as select 42 as answer');
		await psql(stack, 'create table bulk as select i, repeat(md5(i::text), 8) as payload from generate_series(1, 300000) i');
		await psql(stack, 'create index on bulk (payload)');
		const [backup] = await stack.backup(target);
		t.is(backup?.outcome, 'success', backup?.error);
		await psql(stack, 'drop table marker');

		const hostile = `${stack.project}/hostile`;
		const [stored] = await stack.backup(hostile);
		t.is(stored?.outcome, 'success', stored?.error);
		const stopped = await stack.restore(hostile, '--into', 'of the hostile one');
		t.is(stopped.outcome, 'failed');
		t.regex(stopped.error ?? '', /PostgreSQL refused: .*\\!/s);
		t.is(await psql(stack, "select count(*) from pg_database where datname ~ 'hostile'"), '0');

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
	},
);

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
