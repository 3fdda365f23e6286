/** A server outside the target's container: refused for a reason, dumped, restored, undone. */
import {writeFile} from 'node:fs/promises';
import test from 'ava';
import type {RestoreResult} from '../../../base/results.ts';
import {docker, tryDocker} from '../../support/docker.ts';
import {application, idle, json, labels, password, problemsOf, psql, server, startWithSecrets} from '../../support/stack/far-server.ts';
import {until} from '../../support/until.ts';

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

test.serial('a server elsewhere: refused for a reason, then dumped, restored and undone', async t => {
	t.timeout(10 * 60_000);
	const {stack, secret} = await startWithSecrets(t, {
		db: await server('postgres:17'),
		newer: await server('postgres:18'),
		app: await application({'holdfast.postgres': 'shop'}),
		modern: await idle(labels('newer')),
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
	t.false((await docker(['logs', stack.container('holdfast')])).includes('hunter2'));
});
