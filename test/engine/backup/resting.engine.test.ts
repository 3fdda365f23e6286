/** A database that somebody stopped: it stays stopped, it is told once, and the others of its group are backed up without it. Lane: waits. Turns: moments. */
import test from 'ava';
import {ensureImage} from '../../support/images.ts';
import {plainReader, readerService} from '../../support/stack/reader.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

test('what rests is left to rest', async t => {
	t.timeout(12 * 60_000);
	const [postgres, app] = await Promise.all([ensureImage('postgres:17'), ensureImage('holdfast-test/app:latest')]);
	const database = (labels: Record<string, string>) => ({
		image: postgres,
		environment: {POSTGRES_PASSWORD: 'x', POSTGRES_DB: 'shop'},
		labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'shop', ...labels},
	});
	const stack = await startStack(t, {
		services: {
			reader: readerService(),
			lone: database({}),
			db: database({'holdfast.group': 'all'}),
			app: {
				image: app,
				entrypoint: ['sleep'],
				command: ['infinity'],
				volumes: ['data:/data'],
				labels: {'holdfast.enable': 'true', 'holdfast.volumes': 'true', 'holdfast.group': 'all'},
			},
		},
		volumes: ['data'],
	});
	const group = `${stack.project}/all`;
	const answers = async (service: string) => (await stack.exec(service, 'pg_isready', '--quiet', '--host=127.0.0.1')) === '';
	await until('both servers', async () => (await answers('db')) && (await answers('lone')), {timeout: 60_000});
	await stack.exec('app', 'sh', '-c', 'echo one >/data/file');
	const whole = await stack.backup('--all');
	t.deepEqual(
		whole.map(({outcome, error}) => [outcome, error]),
		[
			['success', undefined],
			['success', undefined],
		],
	);

	await stack.compose('stop', 'db', 'lone');
	await stack.exec('app', 'sh', '-c', 'echo two >/data/file');
	const {exitCode, stdout, stderr} = await stack.holdfast('backup', '--all', '--json');
	t.is(exitCode, 3, stderr);
	const results = stdout.split('\n').filter(Boolean);
	t.is(results.length, 1, 'the lone one is no run');
	t.regex(stderr, /lone` is not backed up: container .*, which has to answer, is not running \(exited\)/);
	const partial = JSON.parse(results[0] ?? '');
	t.like(partial, {target: group, outcome: 'partial', error: undefined});
	t.is(partial.absent?.[0]?.source, 'db/postgres:shop');
	t.deepEqual([await stack.state('db'), await stack.state('lone')], ['exited', 'exited']);

	const reader = plainReader(stack);
	const files = (await reader.snapshots(`run:${partial.run}`)).length;
	t.is(files, 2, 'the files, and the manifest');
	const status = JSON.parse((await stack.holdfast('status', '--json')).stdout) as Array<{
		target: string;
		lastSuccess: {run: string};
		absent?: string;
	}>;
	const ofGroup = status.find(({target}) => target === group);
	t.is(ofGroup?.lastSuccess.run, whole.find(({target}) => target === group)?.run, 'a point that lacks something is no success');
	t.regex(ofGroup?.absent ?? '', /db\/postgres:shop/);

	const named = await stack.holdfast('backup', `${stack.project}/lone`);
	t.is(named.exitCode, 1);
	const restored = await stack.restore(group);
	t.is(restored.outcome, 'success', restored.error);
	t.is(await stack.exec('app', 'cat', '/data/file'), 'two');

	await stack.compose('start', 'db');
	await until('the server', async () => answers('db'), {timeout: 60_000});
	t.is((await stack.backup(group))[0]?.outcome, 'success');
});
