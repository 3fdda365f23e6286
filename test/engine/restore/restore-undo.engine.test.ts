/** What a restore replaced comes back with one command, or is let go with one. (What is killed in the middle: test/engine/laws/kills-restore.) Lane: waits. */
import test from 'ava';
import type {RestoreResult} from '../../../base/results.ts';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {allOf, startShop} from '../../support/shop.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

async function settle(stack: Stack, verb: 'undo' | 'finish', run: string): Promise<RestoreResult> {
	const {stdout, stderr} = await stack.holdfast('restore', verb, run, '--json');
	return JSON.parse(stdout || `{"outcome": "failed", "error": ${JSON.stringify(stderr)}}`) as RestoreResult;
}

test.serial('undo puts back what was replaced, finish lets it go', async t => {
	const {stack, target, read, write, kept} = await startShop(t);
	await write('first');
	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);
	await write('second');

	const restored = await stack.restore(target);
	t.is(restored.outcome, 'success', restored.error);
	t.is(restored.replaced.length, 4);
	t.is(await read(), allOf('first'));

	const undone = await settle(stack, 'undo', restored.run);
	t.is(undone.outcome, 'success', undone.error);
	t.is(await read(), allOf('second'));
	t.deepEqual(await kept(), []);
	t.is((await stack.holdfast('restore', 'undo', restored.run)).exitCode, 2);

	const again = await stack.restore(target);
	t.is(again.outcome, 'success', again.error);
	t.not((await kept()).length, 0);
	const finished = await settle(stack, 'finish', again.run);
	t.is(finished.outcome, 'success', finished.error);
	t.deepEqual(await kept(), []);
	t.is(await read(), allOf('first'));
	t.is((await stack.holdfast('restore', 'finish', again.run)).exitCode, 2);
	t.is(await stack.state('app'), 'running');
	const [next] = await stack.backup(target);
	t.is(next?.outcome, 'success', next?.error);
	t.is(await stack.restic('snapshots', '--json', '--tag', 'holdfast-safety'), '[]', 'safety snapshots are swept when nobody can need them');
});

test.serial('an application that is not well on what was restored has its own data back by itself', async t => {
	t.timeout(10 * 60_000);
	const image = await ensureImage('holdfast-test/app:latest');
	const postgres = await ensureImage('postgres:17');
	const probe = (...command: string[]) => ({test: ['CMD', ...command], interval: '1s', retries: 2});
	const stack = await startStack(t, {
		volumes: ['data'],
		services: {
			app: {
				image,
				command: ['sleep', 'infinity'],
				init: true,
				volumes: ['data:/data'],
				healthcheck: probe('sh', '-c', '! grep -q bad /data/word'),
				labels: {'holdfast.enable': 'true'},
			},
			db: {
				image: postgres,
				environment: {POSTGRES_HOST_AUTH_METHOD: 'trust', POSTGRES_DB: 'app'},
				labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'app'},
			},
			web: {
				image: postgres,
				entrypoint: ['sleep', 'infinity'],
				init: true,
				depends_on: ['db'],
				healthcheck: probe('psql', '-h', 'db', '-U', 'postgres', '-d', 'app', '-c', 'select 1 / (word <> $$$$bad$$$$)::int from word'),
			},
		},
	});
	const health = async (service: string) => docker(['inspect', '--format', '{{.State.Health.Status}}', stack.container(service)]);
	const psql = async (sql: string) =>
		stack.exec('db', 'psql', '-h', '127.0.0.1', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres', '-d', 'app', '-c', sql);
	const put = async (word: string) => {
		await stack.exec('app', 'sh', '-ec', `echo ${word} >/data/word`);
		await psql(`drop table if exists word; create table word as select '${word}' as word`);
	};
	const healthy = async (service: string) =>
		until(`${service} is healthy`, async () => (await health(service)) === 'healthy', {timeout: 60_000});
	await until('the database answers', async () => psql('select 1'), {timeout: 60_000});
	await psql('create table filler as select n, md5(n::text) || md5((n + 1)::text) as payload from generate_series(1, 100000) n');
	await put('bad');
	for (const {outcome, error} of await stack.backup('--all')) {
		t.is(outcome, 'success', error);
	}

	await put('good');
	for (const [service, target, read] of [
		['app', 'app', async () => stack.exec('app', 'cat', '/data/word')],
		['web', 'db', async () => psql('select word from word')],
	] as const) {
		await healthy(service);
		const result = await stack.restore(`${stack.project}/${target}`);
		t.is(result.outcome, 'failed');
		t.regex(result.error ?? '', /what was there before is back.*unhealthy/);
		t.is(await read(), 'good');
		await healthy(service);
		t.is((await stack.holdfast('restore', 'undo', result.run)).exitCode, 2);
		t.true((await swapSeconds(stack, result.run)) < 2, 'the swap itself does not grow with the data');
	}

	t.is(await psql("select count(*) from pg_database where datname ~ '_(restore|before)_'"), '0');
	t.is(await psql('select count(*) from filler'), '100000');
});

/** From the first swap until what was stopped is started. */
async function swapSeconds(stack: Stack, run: string): Promise<number> {
	const at = new Map<string, number>();
	for await (const event of stack.follow(run)) {
		if (event.type === 'step' && !at.has(event.step)) {
			at.set(event.step, event.at);
		}
	}

	return ((at.get('start') ?? Number.NaN) - (at.get('swap') ?? Number.NaN)) / 1000;
}
