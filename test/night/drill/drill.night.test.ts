/** Drills on a real engine: what is whole passes, what is not is found, and nothing is left, whatever is killed. */
import test from 'ava';
import {drillKilled, drillStopped, flipBytes, leaveOut, leftOf, startDrilled} from '../../support/laws/drill-scene.ts';
import {until} from '../../support/until.ts';

test('what is whole passes, also of a stopped target; what is not is found; nothing is left behind', async t => {
	t.timeout(10 * 60_000);
	const scene = await startDrilled(t);
	const {stack, db, app, drill, psql, lastSuccess} = scene;
	const proven = await drillStopped(t, scene);

	t.log('a query that is false');
	await psql('delete from entries where n > 10000');
	const [emptier] = await stack.backup(db);
	t.is(emptier?.outcome, 'success', emptier?.error);
	const untrue = await drill(db);
	t.is(untrue.exitCode, 1);
	t.regex(untrue.result.error ?? '', /postgres:app: the query of `holdfast\.drill\.sql` must return true, got `f`/);
	t.is(untrue.result.point, String(emptier?.point));
	const refused = await stack.restore(db);
	t.like(refused, {outcome: 'failed', replaced: [], outageSeconds: 0});
	t.regex(refused.error ?? '', /`holdfast\.drill\.sql` must return true, got `f`.*--skip-drill-sql.*nothing was replaced/);
	const unasked = await stack.restore(db, '--skip-drill-sql');
	t.is(unasked.outcome, 'success', unasked.error);

	t.log('a dump that lacks a table');
	await psql('insert into entries (payload) select md5(i::text) from generate_series(1, 20000) i');
	const [whole] = await stack.backup(db);
	t.is(whole?.outcome, 'success', whole?.error);
	await leaveOut(stack, whole?.point ?? 'none', db, 'lost');
	const lacking = await drill(db, '--point', whole?.point ?? '');
	t.is(lacking.exitCode, 1);
	t.regex(lacking.result.error ?? '', /postgres:app: the database had 2 tables, and 1 were restored; .*indexes/);
	const unswapped = await stack.restore(db, '--point', whole?.point ?? '');
	t.like(unswapped, {outcome: 'failed', replaced: [], outageSeconds: 0});
	t.regex(unswapped.error ?? '', /the database had 2 tables, and 1 were restored; .*indexes/);
	t.is(lacking.result.sources.find(({source}) => source === 'postgres:postgres')?.outcome, 'success');

	t.log('the agent killed in the middle');
	await drillKilled(t, scene, proven);

	t.log('flipped bytes in the packs');
	const good = await drill(db);
	t.is(good.result.outcome, 'success', good.result.error);
	const moved = await until('the metric moves', async () => (await lastSuccess(db)) !== proven && (await lastSuccess(db)), {
		timeout: 20_000,
	});
	await flipBytes(stack);
	for (const target of [app, db]) {
		const {result, exitCode} = await drill(target);
		t.is(exitCode, 1);
		t.is(result.outcome, 'failed');
		t.regex(result.error ?? '', /(postgres:app|volume:\/data): .*(decrypting blob|ciphertext verification failed|repository)/s);
		t.log(result.error);
		t.deepEqual(await leftOf(result.run), []);
	}

	t.is(await lastSuccess(db), moved);
});
