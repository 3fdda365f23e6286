/** Backups whose every step is met with the death of each process that can be alive then: two scenes, and the tests of them. */
import {randomBytes} from 'node:crypto';
import type {ExecutionContext, TestFn} from 'ava';
import type {StepEvent} from '../../../base/events.ts';
import {ensureImage} from '../images.ts';
import {connect} from '../stack/connect.ts';
import {assertPointIsWhole} from '../stack/contents.ts';
import {readerService} from '../stack/reader.ts';
import {bringUp} from '../stack/shared.ts';
import {type Service, type Stack, startStack} from '../stack.ts';
import {until} from '../until.ts';
import {smallState, stateDisk} from './full-state.ts';
import {declareKills, type Kill, nameOf, type Scene, stepsOf, survive, targetsAt, type Victim} from './kills.ts';

type Teardown = Pick<ExecutionContext, 'teardown'>;

const token = 'a-token-for-the-kills-of-backups';

/** A database that is written to all the time, and a file beside it. */
const writer = ['sh', '-c', 'seq 100000 >/data/upload && exec /app/run write-sqlite /data/app.db'];

const bystanders = (app: string): Record<string, Service> =>
	Object.fromEntries(
		['frozen', 'asleep'].map(name => [name, {image: app, command: ['sleep', '100000'], stop_grace_period: '1s', volumes: ['data:/data']}]),
	);

/** What a person paused, or stopped, stays so. */
async function restBystanders(stack: Stack): Promise<void> {
	await stack.compose('pause', 'frozen');
	await stack.compose('stop', 'asleep');
}

/** A group of a database and an application that is paused. */
async function startPaused(t: Teardown): Promise<Scene> {
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
	await restBystanders(stack);
	const sql = `create table filler as select n, md5(n::text) || md5((n + 1)::text) as payload from generate_series(1, 150000) n`;
	await until('the database', async () => stack.exec('db', 'psql', '-U', 'postgres', '-d', database, '-c', 'select 1'));
	await stack.exec('db', 'psql', '-U', 'postgres', '-d', database, '-c', sql);
	return {stack, token, database, target: `${stack.project}/all`};
}

const hooks = {'holdfast.before': 'touch /data/hooked', 'holdfast.after': 'rm -f /data/hooked'};

/** What the hooks before the moment made is gone after it. */
async function hookedScene(stack: Stack): Promise<Scene> {
	await restBystanders(stack);
	const scene: Scene = {
		stack,
		token,
		target: `${stack.project}/app`,
		isPutBack: async () => (await stack.exec('app', 'ls', '/data')).split('\n').every(name => name !== 'hooked'),
	};
	await until('the database', async () => (await connect(scene)).isReady());
	return scene;
}

/** An application that is stopped, between two hooks. */
async function startStopped(t: Teardown): Promise<Scene> {
	const app = await ensureImage('holdfast-test/app:latest');
	const stack = await startStack(t, {
		volumes: ['data'],
		holdfast: {environment: {HOLDFAST_API_TOKEN: token}},
		services: {
			app: {
				image: app,
				command: writer,
				// What a dead agent asked for is waited for as long.
				stop_grace_period: '3s',
				volumes: ['data:/data'],
				labels: {
					'holdfast.enable': 'true',
					'holdfast.sqlite': '/data/app.db',
					'holdfast.volumes': 'true',
					'holdfast.quiesce': 'stop',
					...hooks,
				},
			},
			reader: readerService(),
			...bystanders(app),
		},
	});
	return hookedScene(stack);
}

/** An application that is paused between two hooks, and whose state has little room. */
async function startSmall(t: Teardown): Promise<Scene> {
	const app = await ensureImage('holdfast-test/app:latest');
	const stack = await startStack(t, {
		volumes: ['data'],
		volumeOptions: smallState,
		holdfast: {environment: {HOLDFAST_API_TOKEN: token}},
		services: {
			app: {
				image: app,
				command: writer,
				stop_grace_period: '3s',
				volumes: ['data:/data'],
				labels: {
					'holdfast.enable': 'true',
					'holdfast.sqlite': '/data/app.db',
					'holdfast.volumes': 'true',
					'holdfast.quiesce.with': 'beside',
					...hooks,
				},
			},
			beside: {image: app, init: true, command: ['sleep', 'infinity'], stop_grace_period: '1s'},
			reader: readerService(),
			...(await stateDisk()),
			...bystanders(app),
		},
	});
	return hookedScene(stack);
}

/** Declares a test for each step of a backup at which the disk of the state is full. */
export async function fullStates(test: TestFn): Promise<void> {
	const {value, takeDown} = await bringUp(async t => {
		const scene = await startSmall(t);
		return {scene, steps: await stepsOf(scene)};
	});
	const {scene, steps} = value;
	test.after.always('the stack is taken down', takeDown);
	for (const [index, at] of steps.entries()) {
		test.serial(`at \`${nameOf(at, scene.stack.project)}\``, async t => t.notThrowsAsync(survive(scene, steps, index, 'state')));
	}
}

const killsOf = (scene: Scene, steps: readonly StepEvent[], spared: readonly Victim[]): Kill[] =>
	steps.flatMap((at, index) =>
		targetsAt(steps, index)
			.filter(victim => !spared.includes(victim))
			.map(victim => {
				const step = nameOf(at, scene.stack.project);
				return {name: `${victim} killed at \`${step}\``, step, victim, survive: async () => survive(scene, steps, index, victim)};
			}),
	);

interface Setting {
	start: (t: Teardown) => Promise<Scene>;
	/** What the other scene kills at every step. */
	spared: readonly Victim[];
	least: number;
	/** What is but in this scene: the other one covers the rest by day. */
	isOwn: (kill: Kill) => boolean;
}

const scenes: Readonly<Record<'paused' | 'stopped', Setting>> = {
	paused: {start: startPaused, spared: ['sqlite session'], least: 35, isOwn: () => true},
	stopped: {
		start: startStopped,
		spared: [],
		least: 25,
		isOwn: ({step, victim}) => /^(?:quiesce|resume|\w+-hooks)/.test(step) || (victim === 'sqlite session' && step === 'pin'),
	},
};

/** Declares all tests of a file. @param isWhole every kill, not only a cover of them */
export async function backupKills(test: TestFn, which: keyof typeof scenes, {isWhole}: {isWhole: boolean}): Promise<void> {
	const {start, spared, least, isOwn} = scenes[which];
	const {value, takeDown} = await bringUp(async t => {
		const scene = await start(t);
		return {scene, steps: await stepsOf(scene)};
	});
	const {scene, steps} = value;
	const kills = killsOf(scene, steps, spared);
	test.after.always('the stack is taken down', takeDown);
	declareKills(test, kills, {isWhole, among: isOwn});
	test.serial(
		'afterwards, the points that are listed are those that are there, and no death was taken for a crash of the server',
		async t => {
			t.true(kills.length >= least, `${kills.length} kills to choose from`);
			const {stack, target, database} = scene;
			const {stdout} = await stack.holdfast('points', target, '--json');
			const listed = (JSON.parse(stdout) as Array<{point: string}>).map(({point}) => point);
			t.deepEqual(listed, await (await connect(scene)).points(target));
			await assertPointIsWhole(stack, listed[0] ?? 'none');
			if (database !== undefined) {
				t.false((await stack.compose('logs', 'db')).includes('terminating any other active server processes'));
			}
		},
	);
}
