/**
 * Whatever is killed, whenever: nothing partial is a restore point, everything is put back, and the next run succeeds. Each step of a run is
 * met with the death of each process that can be alive then.
 */
import {randomBytes} from 'node:crypto';
import test, {type ExecutionContext} from 'ava';
import {connect} from '../../support/connect.ts';
import {assertPointIsWhole} from '../../support/contents.ts';
import {ensureImage} from '../../support/images.ts';
import {eachKill, nameOf, type Scene, stepsOf, survive, targetsAt, type Victim} from '../../support/kills.ts';
import {readerService} from '../../support/reader.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

/** @param spared what the other test kills at every step */
async function killEverything(t: ExecutionContext, scene: Scene, spared: readonly Victim[] = []): Promise<number> {
	const steps = await stepsOf(scene);
	const kills = steps.flatMap((step, index) =>
		targetsAt(steps, index)
			.filter(victim => !spared.includes(victim))
			.map(victim => ({
				name: `${victim} killed at \`${nameOf(step, scene.stack.project)}\``,
				survive: async () => survive(scene, steps, index, victim),
			})),
	);
	const count = await eachKill(t, kills);
	const {stdout} = await scene.stack.holdfast('points', scene.target, '--json');
	const listed = (JSON.parse(stdout) as Array<{point: string}>).map(({point}) => point);
	t.deepEqual(listed, await (await connect(scene)).points(scene.target));
	await assertPointIsWhole(scene.stack, listed[0] ?? 'none');
	return count;
}

const token = 'a-token-for-the-tests-of-this-file';

/** A database that is written to all the time, and a file beside it. */
const writer = ['sh', '-c', 'seq 100000 >/data/upload && exec /app/run write-sqlite /data/app.db'];

const bystanders = (app: string) =>
	Object.fromEntries(
		['frozen', 'asleep'].map(name => [name, {image: app, command: ['sleep', '100000'], stop_grace_period: '1s', volumes: ['data:/data']}]),
	);

test('a group of a database and an application that is paused', async t => {
	t.timeout(20 * 60_000);
	const [postgres, app] = await Promise.all([ensureImage('postgres:17'), ensureImage('holdfast-test/app:latest')]);
	const database = `kills_${randomBytes(4).toString('hex')}`;
	const stack = await startStack(t, {
		volumes: ['data', 'database'],
		holdfast: {environment: {HOLDFAST_API_TOKEN: token}},
		services: {
			db: {
				image: postgres,
				environment: {POSTGRES_PASSWORD: 'secret-of-the-database', POSTGRES_DB: database},
				volumes: ['database:/var/lib/postgresql/data'],
				labels: {'holdfast.enable': 'true', 'holdfast.group': 'all', 'holdfast.postgres': database},
			},
			app: {
				image: app,
				command: writer,
				volumes: ['data:/data'],
				labels: {'holdfast.enable': 'true', 'holdfast.group': 'all', 'holdfast.sqlite': '/data/app.db', 'holdfast.volumes': 'true'},
			},
			reader: readerService(),
			...bystanders(app),
		},
	});
	await stack.compose('pause', 'frozen');
	await stack.compose('stop', 'asleep');
	const sql = `create table filler as select n, md5(n::text) || md5((n + 1)::text) as payload from generate_series(1, 150000) n`;
	await until('the database', async () => stack.exec('db', 'psql', '-U', 'postgres', '-d', database, '-c', 'select 1'));
	await stack.exec('db', 'psql', '-U', 'postgres', '-d', database, '-c', sql);
	const scene: Scene = {stack, token, database, target: `${stack.project}/all`};
	t.true((await killEverything(t, scene, ['sqlite session'])) >= 35);
	t.false(
		(await stack.compose('logs', 'db')).includes('terminating any other active server processes'),
		'PostgreSQL took a death for a crash',
	);
});

test('an application that is stopped, between two hooks', async t => {
	t.timeout(20 * 60_000);
	const app = await ensureImage('holdfast-test/app:latest');
	const stack = await startStack(t, {
		volumes: ['data'],
		holdfast: {environment: {HOLDFAST_API_TOKEN: token}},
		services: {
			app: {
				image: app,
				command: writer,
				volumes: ['data:/data'],
				labels: {
					'holdfast.enable': 'true',
					'holdfast.sqlite': '/data/app.db',
					'holdfast.volumes': 'true',
					'holdfast.quiesce': 'stop',
					'holdfast.before': 'touch /data/hooked',
					'holdfast.after': 'rm -f /data/hooked',
				},
			},
			reader: readerService(),
			...bystanders(app),
		},
	});
	await stack.compose('pause', 'frozen');
	await stack.compose('stop', 'asleep');
	const scene: Scene = {
		stack,
		token,
		target: `${stack.project}/app`,
		isPutBack: async () => (await stack.exec('app', 'ls', '/data')).split('\n').every(name => name !== 'hooked'),
	};
	await until('the database', async () => (await connect(scene)).isReady());
	t.true((await killEverything(t, scene)) >= 25);
});
