/** What a restore replaced comes back with one command, or is let go with one; and nothing is half done after a kill at any step. */
import test from 'ava';
import type {RestoreResult, RunEvent} from '../../agent/events.ts';
import {docker} from '../support/docker.ts';
import {ensureImage} from '../support/images.ts';
import {type Stack, startStack} from '../support/stack.ts';
import {until} from '../support/until.ts';

/** A database, an application with a SQLite database and files, and a path of its own: one target. */
async function shop(t: Parameters<typeof startStack>[0]): Promise<Stack> {
	const image = await ensureImage('holdfast-test/app:latest');
	const enabled = {'holdfast.enable': 'true', 'holdfast.group': 'shop'};
	const stack = await startStack(t, {
		volumes: ['data'],
		services: {
			db: {
				image: await ensureImage('postgres:17'),
				environment: {POSTGRES_PASSWORD: 'secret', POSTGRES_DB: 'app'},
				labels: {...enabled, 'holdfast.postgres': 'app'},
			},
			app: {
				image,
				command: ['sleep', 'infinity'],
				init: true,
				depends_on: ['db'],
				volumes: ['data:/data'],
				labels: {...enabled, 'holdfast.sqlite': '/data/app.db', 'holdfast.volumes': 'true', 'holdfast.tar': '/etc/app'},
			},
		},
	});
	await until('the database answers', () => psql(stack, 'select 1'));
	return stack;
}

const psql = async (stack: Stack, sql: string) =>
	stack.exec('db', 'psql', '-h', '127.0.0.1', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres', '-d', 'app', '-c', sql);

/** Writes one word into each of the four places. */
async function write(stack: Stack, word: string): Promise<void> {
	await psql(stack, `drop table if exists word; create table word as select '${word}' as word`);
	const sqlite = `sqlite3 /data/app.db "pragma journal_mode=wal; drop table if exists word; create table word as select '${word}' as word" >/dev/null`;
	await stack.exec(
		'app',
		'sh',
		'-ec',
		`mkdir -p /etc/app; echo ${word} >/etc/app/word; echo ${word} >/data/word; ${sqlite}; rm -f /data/only-*; : >/data/only-${word}`,
	);
}

/** The word of each place. */
async function read(stack: Stack): Promise<string> {
	const files = 'cat /etc/app/word /data/word; sqlite3 /data/app.db "select word from word"; ls /data | grep only-';
	return `${await psql(stack, 'select word from word')}\n${await stack.exec('app', 'sh', '-ec', files)}`.replaceAll('\n', ' ');
}

const all = (word: string) => `${word} ${word} ${word} ${word} only-${word}`;

/** Names that a restore gives to what it makes and keeps. */
async function kept(stack: Stack): Promise<string[]> {
	const databases = await psql(stack, `select datname from pg_database where datname ~ '_(restore|before)_'`);
	const files = await stack.exec('app', 'sh', '-c', 'ls -A /data | grep holdfast- || true');
	const snapshots = JSON.parse(await stack.restic('snapshots', '--json', '--tag', 'holdfast-safety')) as unknown[];
	return [...databases.split('\n'), ...files.split('\n'), ...snapshots.map(() => 'snapshot')].filter(Boolean);
}

async function settle(stack: Stack, verb: 'undo' | 'finish', run: string): Promise<RestoreResult> {
	const {stdout, stderr} = await stack.holdfast('restore', verb, run, '--json');
	return JSON.parse(stdout || `{"outcome": "failed", "error": ${JSON.stringify(stderr)}}`) as RestoreResult;
}

test.serial('undo puts back what was replaced, finish lets it go', async t => {
	const stack = await shop(t);
	const target = `${stack.project}/shop`;
	await write(stack, 'first');
	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);
	await write(stack, 'second');

	const restored = await stack.restore(target);
	t.is(restored.outcome, 'success', restored.error);
	t.is(restored.replaced.length, 4);
	t.is(await read(stack), all('first'));

	const undone = await settle(stack, 'undo', restored.run);
	t.is(undone.outcome, 'success', undone.error);
	t.is(await read(stack), all('second'));
	t.deepEqual(
		(await kept(stack)).filter(name => name !== 'snapshot'),
		[],
	);
	t.is((await stack.holdfast('restore', 'undo', restored.run)).exitCode, 2);

	const again = await stack.restore(target);
	t.is(again.outcome, 'success', again.error);
	t.not((await kept(stack)).length, 0);
	const finished = await settle(stack, 'finish', again.run);
	t.is(finished.outcome, 'success', finished.error);
	t.deepEqual(
		(await kept(stack)).filter(name => name !== 'snapshot'),
		[],
	);
	t.is(await read(stack), all('first'));
	t.is((await stack.holdfast('restore', 'finish', again.run)).exitCode, 2);
	t.is(await stack.state('app'), 'running');
});

/** The further ones of a step concern its further sources. */
const steps = ['workers', 'stop', 'safety-point', 'safety-point', 'swap', 'swap'] as const;

test.serial('an agent that is killed in a restore leaves all of the old or all of the new', async t => {
	t.timeout(20 * 60_000);
	const stack = await shop(t);
	const target = `${stack.project}/shop`;
	await write(stack, 'first');
	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);
	for (const [index, step] of steps.entries()) {
		const nth = steps.slice(0, index).filter(other => other === step).length;
		await write(stack, 'second');
		const {body} = await stack.api('POST', '/api/v1/restore', {target});
		const {run} = body as {run: string};
		await killAt(stack, run, step, nth);
		await until('Holdfast answers', async () => (await stack.holdfast('healthcheck')).exitCode === 0, {timeout: 240_000, interval: 1000});
		const result = await until(
			'the interrupted restore is settled',
			async () => {
				const {body: runs} = await stack.api('GET', '/api/v1/runs?limit=3');
				const list = runs as Array<{run: string; state: string; trigger: string; result: RestoreResult | null}>;
				const recoveries = list.filter(({run: other, trigger}) => other > run && trigger === 'recovery');
				const own = list.find(({run: other}) => other === run);
				return (
					own?.state === 'finished' &&
					recoveries.every(({state}) => state === 'finished') &&
					(await stack.state('app')) === 'running' &&
					own.result
				);
			},
			{timeout: 240_000, interval: 1000},
		);
		await until('the application runs', async () => (await stack.state('app')) === 'running', {timeout: 60_000});
		const expected = result.outcome === 'success' ? 'first' : 'second';
		await until(`all of one: ${expected}`, async () => (await read(stack)) === all(expected), {timeout: 60_000});
		t.is(await read(stack), all(expected), `killed at ${step} ${nth}`);
		t.log(`killed at ${step} ${nth}: ${result.outcome}`);
		if (result.outcome === 'success') {
			t.is((await settle(stack, 'finish', run)).outcome, 'success');
		}

		t.deepEqual(
			(await kept(stack)).filter(name => name !== 'snapshot'),
			[],
			`killed at ${step} ${nth}`,
		);
	}
});

async function killAt(stack: Stack, run: string, step: string, nth: number): Promise<void> {
	let seen = 0;
	for await (const event of stack.follow(run) as AsyncIterable<RunEvent>) {
		if (event.type === 'step' && event.step === step && seen++ === nth) {
			break;
		}
	}

	await docker(['kill', stack.container('holdfast')]);
	await docker(['start', stack.container('holdfast')]);
}

test.serial('an application that is not well on what was restored has its own data back by itself', async t => {
	t.timeout(10 * 60_000);
	const image = await ensureImage('holdfast-test/app:latest');
	const stack = await startStack(t, {
		volumes: ['data'],
		services: {
			app: {
				image,
				command: ['sleep', 'infinity'],
				init: true,
				volumes: ['data:/data'],
				healthcheck: {test: ['CMD', 'sh', '-c', '! grep -q bad /data/word'], interval: '1s', retries: 2},
				labels: {'holdfast.enable': 'true'},
			},
		},
	});
	const health = async () => docker(['inspect', '--format', '{{.State.Health.Status}}', stack.container('app')]);
	const put = async (word: string) => stack.exec('app', 'sh', '-ec', `echo ${word} >/data/word`);
	await put('bad');
	const [backup] = await stack.backup(`${stack.project}/app`);
	t.is(backup?.outcome, 'success', backup?.error);
	await put('good');
	await until('the application is healthy', async () => (await health()) === 'healthy', {timeout: 60_000});
	const result = await stack.restore(`${stack.project}/app`);
	t.is(result.outcome, 'failed');
	t.regex(result.error ?? '', /what was there before is back.*unhealthy/);
	t.is(await stack.exec('app', 'cat', '/data/word'), 'good');
	await until('the application is healthy again', async () => (await health()) === 'healthy', {timeout: 60_000});
	t.is((await stack.holdfast('restore', 'undo', result.run)).exitCode, 2);
});
