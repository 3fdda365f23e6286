/** An end, a cancel and a death in the middle of a run, and what is left in the repository after them. Lane: waits. */
import {randomBytes} from 'node:crypto';
import {existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import test, {type ExecutionContext} from 'ava';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {heldOpen, runUntil} from '../../support/laws/held-open.ts';
import {killAt, leftOf, processesOf, type Scene, sessions, states, striking, untilDead, type Victim} from '../../support/laws/kills.ts';
import {findProcesses, killProcesses} from '../../support/machine/processes.ts';
import {sealing} from '../../support/stack/cheap-key.ts';
import {connect} from '../../support/stack/connect.ts';
import {type Service, type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const token = 'a-token-for-the-tests-of-this-file';

async function start(t: ExecutionContext, services: Record<string, Service>): Promise<Stack> {
	t.timeout(15 * 60_000);
	return startStack(t, {volumes: ['data', 'more'], holdfast: {environment: {HOLDFAST_API_TOKEN: token}}, services});
}

const alive = (scene: Scene, victim: Victim, run: string) => findProcesses(processesOf(scene, victim, run) ?? (() => false)).length;

async function assertNextSucceeds(t: ExecutionContext, scene: Scene): Promise<void> {
	const agent = await connect(scene);
	const {outcome, error} = await agent.result(await agent.start(scene.target));
	t.is(outcome, 'success', error);
}

test('an end of the agent, and a cancel, in the window put everything back', async t => {
	const stack = await start(t, await heldOpen({'holdfast.before': 'touch /data/hooked', 'holdfast.after': 'rm -f /data/hooked'}));
	const scene: Scene = {stack, token, target: `${stack.project}/writer`};
	const before = await states(scene);
	const isPutBack = async () => (await states(scene)) === before && !(await stack.exec('writer', 'ls', '/data')).includes('hooked');

	const ended = await runUntil(scene, 'quiesce', 'stubborn');
	await docker(['stop', '--time', '60', stack.container('holdfast')]);
	t.true(await isPutBack(), `after the end of the agent:\n${await states(scene)}`);
	t.is(await leftOf(ended), '');
	await docker(['start', stack.container('holdfast')]);
	await stack.ready();
	const agent = await connect(scene);
	const afterEnd = await agent.result(ended);
	t.is(afterEnd.outcome, 'failed');
	t.regex(afterEnd.error ?? '', /shutting down/);

	const cancelled = await runUntil(scene, 'quiesce', 'stubborn');
	t.is(await agent.cancel(cancelled), 202);
	const afterCancel = await agent.result(cancelled);
	t.is(afterCancel.outcome, 'failed');
	t.regex(afterCancel.error ?? '', /cancelled/);
	t.true(await isPutBack(), `after the cancel:\n${await states(scene)}`);
	t.is(await leftOf(cancelled), '');

	const killed = await runUntil(scene, 'quiesce', 'stubborn');
	await docker(['kill', '--signal', 'KILL', stack.container('holdfast')]);
	await docker(['start', stack.container('holdfast')]);
	await until('a stop that the dead agent had asked for to be undone too', isPutBack, {timeout: 120_000});
	t.is((await (await connect(scene)).result(killed)).outcome, 'failed');
	await until('nothing to change any more', async () => (await journal(stack)) === '0', {timeout: 120_000});
	t.true(await isPutBack(), `after the death of the agent:\n${await states(scene)}`);
	await assertNextSucceeds(t, scene);
});

/** How much the agent has still to undo. */
const journal = async (stack: Stack): Promise<string> =>
	stack.exec(
		'holdfast',
		'node',
		'--disable-warning=ExperimentalWarning',
		'-p',
		"new (require('node:sqlite').DatabaseSync)('/state/holdfast.db', {readOnly: true}).prepare('select count(*) as open from undos').get().open",
	);

async function startWithDatabase(t: ExecutionContext): Promise<Scene & {database: string}> {
	const [postgres, app] = await Promise.all([ensureImage('postgres:17'), ensureImage('holdfast-test/app:latest')]);
	const database = `recovery_${randomBytes(4).toString('hex')}`;
	const group = {'holdfast.enable': 'true', 'holdfast.group': 'all'};
	const stack = await start(t, {
		db: {
			image: postgres,
			environment: {POSTGRES_PASSWORD: 'secret-of-the-database', POSTGRES_DB: database},
			labels: {...group, 'holdfast.postgres': database},
		},
		app: {
			image: app,
			command: ['write-sqlite', '/data/app.db'],
			volumes: ['data:/data'],
			labels: {...group, 'holdfast.sqlite': '/data/app.db', 'holdfast.volumes': 'true'},
		},
	});
	const inDatabase = async (sql: string) => stack.exec('db', 'psql', '-U', 'postgres', '-d', database, '-c', sql);
	await until('the database', async () => inDatabase('select 1'));
	await inDatabase(`create table filler as select n, md5(n::text) || md5((n + 1)::text) as payload from generate_series(1, 150000) n`);
	return {stack, token, database, target: `${stack.project}/all`};
}

test('a cancel ends what it finds, where it runs', async t => {
	const scene = await startWithDatabase(t);
	const before = await states(scene);
	const agent = await connect(scene);
	for (const [step, subject, victim] of [
		['first-pass', '', 'restic'],
		['pin', '', 'psql session'],
		['store', 'postgres', 'pg_dump'],
	] as const) {
		const run = await runUntil(scene, step, subject);
		await until(`the ${victim}`, () => alive(scene, victim, run) > 0, {interval: 3});
		t.is(await agent.cancel(run), 202);
		const {outcome, point, error} = await agent.result(run);
		t.not(outcome, 'success');
		t.is(point, null);
		t.regex(error ?? '', /cancelled/, step);
		for (const process of ['restic', 'pg_dump', 'psql session', 'sqlite session'] as const) {
			await until(`the ${process} to be gone after a cancel at ${step}`, () => alive(scene, process, run) === 0, {timeout: 30_000});
		}

		t.is(await states(scene), before, step);
		t.is(await leftOf(run), '', step);
		await until('no session to be left', async () => (await sessions(scene)) === '0', {timeout: 30_000});
	}

	await assertNextSucceeds(t, scene);
});

/** Kills the agent while `app` is paused. On a busy machine the word of it may come too late: then once more. */
async function dieInTheWindow(scene: Scene): Promise<string> {
	const {stack} = scene;
	for (let tries = 0; tries < 5; tries++) {
		const agent = await connect(scene);
		const run = await agent.start(scene.target);
		if (await killAt(agent, run, {step: 'pin'}, {victim: 'agent', strike: await striking(stack)})) {
			await untilDead(stack);
			if ((await stack.state('app')) === 'paused') {
				return run;
			}

			await docker(['start', stack.container('holdfast')]);
			await stack.ready();
		}
	}

	throw new Error('the agent could not be killed while `app` was paused');
}

test('an application that was recreated while the agent was dead is left as it is', async t => {
	const scene = await startWithDatabase(t);
	const {stack} = scene;
	const run = await dieInTheWindow(scene);
	await stack.compose('up', '--detach', '--force-recreate', '--no-deps', 'app');
	await docker(['start', stack.container('holdfast')]);
	await stack.ready();
	t.is((await (await connect(scene)).result(run)).outcome, 'failed');
	await until('nothing to be left to undo', async () => (await journal(stack)) === '0');
	t.is(await stack.state('app'), 'running');
	await assertNextSucceeds(t, scene);
});

test('a lock that shuts everybody out, left by the dead agent, keeps no run open', async t => {
	const app = await ensureImage('holdfast-test/app:latest');
	const stack = await start(t, {
		app: {
			image: app,
			command: ['write-sqlite', '/data/app.db'],
			volumes: ['data:/data'],
			labels: {'holdfast.enable': 'true', 'holdfast.sqlite': '/data/app.db'},
		},
	});
	const scene: Scene = {stack, token, target: `${stack.project}/app`};
	const run = await runUntil(scene, 'prepare');
	await docker(['kill', '--signal', 'KILL', stack.container('holdfast')]);
	const folderOf = async (volume: string) => docker(['volume', 'inspect', '--format', '{{.Mountpoint}}', `${stack.project}_${volume}`]);
	const [repository, state] = await Promise.all([folderOf('hf-repository'), folderOf('hf-state')]);
	const [key = ''] = readdirSync(`${repository}/keys`);
	const seal = await sealing(
		readFileSync(`${repository}/keys/${key}`, 'utf8'),
		readFileSync(`${state}/repository-password`, 'utf8').trim(),
	);
	const hostname = (await docker(['inspect', '--format', '{{.Id}}', stack.container('holdfast')])).slice(0, 12);
	const {name, file} = seal(
		JSON.stringify({time: new Date().toISOString(), exclusive: true, hostname, username: 'root', pid: 2 ** 22, uid: 0, gid: 0}),
	);
	writeFileSync(`${repository}/locks/${name}`, file);

	await docker(['start', stack.container('holdfast')]);
	await stack.ready();
	const agent = await connect(scene);
	// Less than restic's patience with a lock
	const closed = await until(
		'the run to be closed',
		async () => (await agent.call<{result: {outcome: string} | null}>(`runs/${run}`)).result,
	);
	t.is(closed.outcome, 'failed');
	await until('the lock to be removed', () => !existsSync(`${repository}/locks/${name}`));
	await assertNextSucceeds(t, scene);
});

test('the dead leave nothing in the repository, and the living keep their locks', async t => {
	const scene = await startWithDatabase(t);
	const {stack} = scene;
	const agent = await connect(scene);
	const locks = `${await docker(['volume', 'inspect', '--format', '{{.Mountpoint}}', `${stack.project}_hf-repository`])}/locks`;
	// A lock that is being written has another name
	const held = () => readdirSync(locks).filter(name => /^[0-9a-f]{64}$/.test(name)).length;
	const lockHosts = async () => {
		const ids = (await stack.restic('list', '--no-lock', 'locks')).split('\n').filter(Boolean);
		const locks = await Promise.all(
			ids.map(async id => JSON.parse(await stack.restic('cat', '--no-lock', 'lock', id)) as {hostname: string}),
		);
		return locks.map(({hostname}) => hostname).sort();
	};

	/** Every snapshot of the repository belongs to a point. */
	const isSwept = async () => {
		const snapshots = JSON.parse(await stack.restic('snapshots', '--no-lock', '--json')) as Array<{tags: string[]}>;
		const runOf = ({tags}: {tags: string[]}) => tags.find(tag => tag.startsWith('run:'));
		const published = new Set(snapshots.filter(({tags}) => tags.some(tag => tag.startsWith('manifest:'))).map(runOf));
		return snapshots.every(snapshot => published.has(runOf(snapshot)));
	};

	const isOfManifest = (argv: readonly string[]) => argv.some(word => word.endsWith('/manifest.json'));
	for (const {step, subject = '', waiting = 0, isReplaced = false} of [
		// One that waited still is replaced, and its lock goes with the others of its run.
		{step: 'publish', isReplaced: true},
		{step: 'first-pass'},
		// Beside the one that waits for the manifest
		{step: 'store', subject: 'postgres', waiting: 1},
	] as const) {
		// It may be over before anybody has seen its lock, or have saved what it was for: then it is tried again.
		let outcome = 'success';
		for (let tries = 0; outcome === 'success' && tries < (isReplaced ? 1 : 5); tries++) {
			const known = held();
			const run = await runUntil(scene, step, subject);
			const isRestic = processesOf(scene, 'restic', run);
			const isVictim = (argv: readonly string[]) => isRestic?.(argv) === true && isOfManifest(argv) === isReplaced;
			let isOver = false;
			const result = agent.result(run).finally(() => {
				isOver = true;
			});
			result.catch(() => {});
			await until('restic to hold a lock, or to be over', () => isOver || (held() > known + waiting && killProcesses(isVictim) > 0), {
				interval: 3,
			});
			({outcome} = await result);
		}

		t.true(isReplaced || outcome !== 'success', step);
	}

	t.true((await lockHosts()).length > 0, 'a killed restic leaves a lock');
	await assertNextSucceeds(t, scene);
	t.deepEqual(await lockHosts(), []);
	t.true(await isSwept());

	const somebody = `${stack.project}-somebody`;
	const script =
		'RESTIC_PASSWORD_FILE=/state/repository-password exec restic --repo /repository --cache-dir /tmp/cache backup --stdin-from-command -- sleep 1000';
	const mounts = ['repository:/repository', 'state:/state:ro'].flatMap(mount => ['--volume', `${stack.project}_hf-${mount}`]);
	const image = await docker(['inspect', '--format', '{{.Image}}', stack.container('holdfast')]);
	t.teardown(async () => docker(['rm', '--force', '--volumes', somebody]));
	await docker([
		'run',
		'--detach',
		'--name',
		somebody,
		'--label',
		'holdfast-test=recovery',
		'--hostname',
		'somebody',
		...mounts,
		'--entrypoint',
		'sh',
		image,
		'-c',
		script,
	]);
	await until("somebody's lock", async () => (await lockHosts()).includes('somebody'));
	await assertNextSucceeds(t, scene);
	t.deepEqual(await lockHosts(), ['somebody']);
	await docker(['rm', '--force', '--volumes', somebody]);
	await stack.restic('unlock', '--remove-all');
	await assertNextSucceeds(t, scene);
	t.true(await isSwept(), 'what could not be forgotten then is forgotten now');
});
