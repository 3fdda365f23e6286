/** Locks of a killed agent whose host name others may have: host network, a chosen name, the network of a sidecar. Nobody has to unlock. Lane: waits. Turns: repository. */
import {readdirSync, readFileSync, statSync} from 'node:fs';
import test, {type ExecutionContext} from 'ava';
import {findProcesses, runs} from '../../support/machine/processes.ts';
import {idleApp} from '../../support/stack/idle.ts';
import {type Service, type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

/** Half an hour is what restic itself would wait. */
const soonMs = 120_000;

async function start(t: ExecutionContext, holdfast: Service & {environment?: Record<string, string>}, more: Record<string, Service> = {}) {
	t.timeout(12 * 60_000);
	const password = `of ${Date.now()} ${Math.random()}`;
	const stack = await startStack(t, {
		slowKey: true,
		volumes: ['data'],
		holdfast: {...holdfast, environment: {RESTIC_PASSWORD: password, ...holdfast.environment}},
		services: {
			app: await idleApp({'holdfast.keep': 'last=1'}),
			...more,
		},
	});
	const repository = await stack.docker(['volume', 'inspect', '--format', '{{.Mountpoint}}', `${stack.project}_hf-repository`]);
	const isOurs = (pid: number) => {
		try {
			return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(password);
		} catch {
			return false;
		}
	};
	// rclone makes the file first, and fills it then: an empty one is no lock to restic, and it stays where its maker dies
	const isLock = (name: string) => (statSync(`${repository}/locks/${name}`, {throwIfNoEntry: false})?.size ?? 0) > 0;
	const locks = () => readdirSync(`${repository}/locks`).filter(name => /^[0-9a-f]{64}$/.test(name) && isLock(name));
	/** The agent dies while its restic has the repository for itself. */
	const dieIn = async (verb: 'forget' | 'prune', work: () => Promise<unknown>) => {
		const working = work();
		await until(
			`${verb} to have its lock`,
			() => {
				const [found] = findProcesses(argv => runs(argv, 'restic') && argv.includes(verb)).filter(({pid}) => isOurs(pid));
				return found !== undefined && locks().length > 0 && process.kill(found.pid, 'SIGSTOP');
			},
			{interval: 3, timeout: 60_000},
		);
		await stack.docker(['kill', '--signal', 'KILL', stack.container('holdfast')]);
		await working;
		t.true(locks().length > 0, 'a lock is left');
		await stack.docker(['start', stack.container('holdfast')]);
		await stack.ready();
	};
	const backUp = async () => {
		await stack.exec('app', 'sh', '-c', 'date +%N >>/data/file');
		return stack.holdfast('backup', `${stack.project}/app`);
	};
	return {stack, locks, dieIn, backUp};
}

/** From the sidecar itself: as another machine with the same compose file does. @returns the lock that is held */
async function somebodyLocks({stack, locks}: {stack: Stack; locks: () => string[]}): Promise<string | undefined> {
	const password = await stack.docker(['exec', stack.container('holdfast'), 'printenv', 'RESTIC_PASSWORD']);
	const somebody = ['--env', `RESTIC_PASSWORD=${password}`, stack.container('vpn'), 'restic', '--repo', '/repository', '--no-cache'];
	await stack.docker(['exec', '--detach', ...somebody, 'backup', '--stdin-from-command', '--', 'sleep', '1000']);
	await until("somebody's lock", () => locks().length > 0);
	return locks()[0];
}

async function assertSoonFree(t: ExecutionContext, {stack, locks}: {stack: Stack; locks: () => string[]}): Promise<void> {
	const begun = Date.now();
	const {exitCode, stderr} = await stack.holdfast('prune');
	t.is(exitCode, 0, stderr);
	t.true(Date.now() - begun < soonMs, `${Date.now() - begun} ms`);
	t.deepEqual(locks(), []);
}

for (const [name, holdfast] of [
	['network_mode: host', {network_mode: 'host', environment: {HOLDFAST_LISTEN: '127.0.0.1:19797'}}],
	['a host name that two hosts may have', {hostname: 'backup'}],
] as const) {
	test(`${name}: what the dead agent had for itself is free at once`, async t => {
		const scene = await start(t, holdfast);
		t.is((await scene.backUp()).exitCode, 0);
		await scene.dieIn('forget', scene.backUp);
		await assertSoonFree(t, scene);
		const {exitCode, stderr} = await scene.backUp();
		t.is(exitCode, 0, stderr);
		t.is(JSON.parse((await scene.stack.holdfast('points', '--json')).stdout).length, 1);
	});
}

test('in the network of a sidecar whose name a person chose, as for Tailscale: the run is in the locks of workers, which are free at once; not those of its namesake', async t => {
	const image = process.env.HOLDFAST_TEST_IMAGE ?? 'holdfast:dev';
	const scene = await start(
		t,
		{network_mode: 'service:vpn', depends_on: ['vpn'], environment: {RESTIC_REPOSITORY: 'rclone::local:/repository'}},
		{
			vpn: {
				image,
				hostname: 'tailscale',
				entrypoint: ['sleep', '100000'],
				init: true,
				stop_grace_period: '1s',
				volumes: ['hf-repository:/repository'],
				user: '0',
			},
		},
	);
	const {stack, locks} = scene;
	t.is((await scene.backUp()).exitCode, 0);
	await scene.dieIn('prune', async () => stack.holdfast('prune'));
	await assertSoonFree(t, scene);
	await scene.dieIn('forget', scene.backUp);
	await assertSoonFree(t, scene);

	// Another machine with the same compose file
	const theirs = await somebodyLocks(scene);
	await stack.docker(['restart', '--time', '1', stack.container('holdfast')]);
	await stack.ready();
	const {stdout} = await stack.holdfast('unlock', '--json');
	t.is(JSON.parse(stdout).removed.length, 0, stdout);
	t.deepEqual(locks(), [theirs]);
});

test("in a sidecar's network: its name is in the locks of workers, which are free at once; but not where restic runs in the sidecar", async t => {
	const image = process.env.HOLDFAST_TEST_IMAGE ?? 'holdfast:dev';
	const scene = await start(
		t,
		// No folder, as restic sees it: what reaches it needs the network of the agent
		{network_mode: 'service:vpn', depends_on: ['vpn'], environment: {RESTIC_REPOSITORY: 'rclone::local:/repository'}},
		{vpn: {image, entrypoint: ['sleep', '100000'], init: true, stop_grace_period: '1s', volumes: ['hf-repository:/repository'], user: '0'}},
	);
	const {stack, locks} = scene;
	t.is((await scene.backUp()).exitCode, 0);
	await scene.dieIn('prune', async () => stack.holdfast('prune'));
	await assertSoonFree(t, scene);
	await scene.dieIn('forget', scene.backUp);
	await assertSoonFree(t, scene);

	const theirs = await somebodyLocks(scene);
	const {stdout} = await stack.holdfast('unlock', '--json');
	t.is(JSON.parse(stdout).removed.length, 0, stdout);
	t.deepEqual(locks(), [theirs]);
});
