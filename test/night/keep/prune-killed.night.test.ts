/** The agent that prunes for all is killed in the middle of it, and does not come back: nothing is lost, nobody unlocks, and another takes over. Lane: waits. */
import {createHash} from 'node:crypto';
import {readdirSync, readFileSync} from 'node:fs';
import test from 'ava';
import type {PruneResult} from '../../../base/results.ts';
import type {RunView} from '../../../base/shapes/runs.ts';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {findProcesses, runs} from '../../support/machine/processes.ts';
import {plainReader, readerService} from '../../support/stack/reader.ts';
import {hardlyEver, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const image = process.env.HOLDFAST_TEST_IMAGE ?? 'holdfast:dev';
const patience = {timeout: 5 * 60_000, interval: 1000};
const sigterm = 1n << 14n;

const isAsked = (pid: number) => {
	const status = readFileSync(`/proc/${pid}/status`, 'utf8');
	return [...status.matchAll(/^S(?:ig|hd)Pnd:\s*([0-9a-f]+)$/gm)].some(([, mask]) => (BigInt(`0x${mask}`) & sigterm) !== 0n);
};

test('killed in the middle of its prune, it leaves no lock and loses nothing; another does it', async t => {
	t.timeout(20 * 60_000);
	const password = `of ${Date.now()} ${Math.random()}`;
	const common = {...hardlyEver, RESTIC_PASSWORD: password, HOLDFAST_PRUNE_SCHEDULE: '* * * * *', HOLDFAST_KEEP: 'last=1'};
	const stack = await startStack(t, {
		slowKey: true,
		volumes: ['data', 'second-state', 'second-cache'],
		up: ['holdfast', 'app', 'reader'],
		holdfast: {environment: {...common, HOLDFAST_HOST: 'first'}},
		services: {
			second: {
				image,
				environment: {...common, HOLDFAST_HOST: 'second', HOLDFAST_PROJECTS: '$COMPOSE_PROJECT_NAME'},
				volumes: ['/var/run/docker.sock:/var/run/docker.sock', 'hf-repository:/repository', 'second-state:/state', 'second-cache:/cache'],
			},
			reader: {
				...readerService(),
				hostname: 'reader',
				environment: {RESTIC_REPOSITORY: '/repository', RESTIC_PASSWORD: password, RESTIC_CACHE_DIR: '/tmp/cache'},
			},
			app: {
				image: await ensureImage('holdfast-test/app:latest'),
				command: ['sleep', 'infinity'],
				init: true,
				volumes: ['data:/data'],
				labels: {'holdfast.enable': 'true', 'holdfast.quiesce': 'none'},
			},
		},
	});
	await stack.compose('up', '--detach', 'second');
	const agents = ['holdfast', 'second'];
	const of = async <Shape>(agent: string, ...args: string[]): Promise<Shape> =>
		JSON.parse(await stack.exec(agent, 'holdfast', ...args, '--json')) as Shape;
	const answers = async (agent: string) =>
		until(
			`${agent} to answer`,
			async () =>
				stack.exec(agent, 'holdfast', 'healthcheck').then(
					() => true,
					() => false,
				),
			patience,
		);
	const repository = await stack.docker(['volume', 'inspect', '--format', '{{.Mountpoint}}', `${stack.project}_hf-repository`]);
	const locks = () => readdirSync(`${repository}/locks`);
	const packs = () =>
		readdirSync(`${repository}/data`, {recursive: true})
			.filter(name => String(name).length > 60)
			.join();
	const isOurs = (pid: number) => {
		try {
			return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(password);
		} catch {
			return false;
		}
	};
	const pruning = () => findProcesses(argv => runs(argv, 'restic') && argv.includes('prune')).find(({pid}) => isOurs(pid))?.pid;
	const runOf = (pid: number) => readFileSync(`/proc/${pid}/root/etc/hostname`, 'utf8').trim().replace('holdfast-', '');
	const target = `${stack.project}/app`;
	const hashes = new Map<string, string>();
	const backUp = async (agent: string) => {
		// Half of it stays the same, so that packs have what is needed beside what is not.
		await stack.exec(
			'app',
			'sh',
			'-c',
			'head -c 20000000 /dev/urandom >/data/new; test -e /data/old || head -c 20000000 /dev/urandom >/data/old',
		);
		const {point} = await of<{point: string}>(agent, 'backup', target);
		hashes.set(point, await stack.exec('app', 'sh', '-c', 'cat /data/old /data/new | sha256sum | cut -d " " -f 1'));
	};
	for (const agent of agents) {
		await answers(agent);
	}

	for (const moment of ['it has its lock', 'packs are written or removed'] as const) {
		for (let round = 0; round < 3; round++) {
			await backUp('holdfast');
			await backUp('second');
		}

		let before = '';
		let pid = 0;
		await until(
			`a prune in which ${moment}`,
			() => {
				const found = pruning();
				if (found === undefined || locks().length === 0) {
					before = '';
					return false;
				}

				before ||= packs();
				if (moment === 'packs are written or removed' && packs() === before) {
					return false;
				}

				process.kill(found, 'SIGSTOP');
				pid = found;
				return locks().length > 0;
			},
			{timeout: 4 * 60_000, interval: 2},
		);
		const run = runOf(pid);
		const known = await Promise.all(
			agents.map(async agent => (await of<RunView[]>(agent, 'runs', '--limit', '50')).some(each => each.run === run)),
		);
		const elected = agents[known.indexOf(true)] as string;
		const [other] = agents.filter(agent => agent !== elected) as [string];
		t.log(`${moment}: ${elected} prunes`);
		await docker(['update', '--restart=no', stack.container(elected)]);
		await docker(['kill', '--signal=KILL', stack.container(elected)]);
		const killed = Date.now();
		await until('its restic to be asked to end', () => isAsked(pid), {timeout: 60_000, interval: 20});
		process.kill(pid, 'SIGCONT');
		await until('its restic to be gone', () => !isOurs(pid), {timeout: 60_000, interval: 50});
		await until('no lock to be left', () => locks().length === 0, {timeout: 60_000, interval: 20});
		await until(
			'the other one to prune',
			async () => {
				const all = await of<RunView[]>(other, 'runs', '--target', 'repository:primary', '--limit', '20');
				return all.some(
					({operation, state, result, startedAt}) =>
						operation === 'prune' &&
						state === 'finished' &&
						Date.parse(startedAt) >= killed &&
						(result as PruneResult).outcome === 'success' &&
						(result as PruneResult).doneBy === undefined,
				);
			},
			patience,
		);
		t.regex(await stack.exec('reader', 'restic', '--no-lock', 'check', '--read-data'), /no errors were found/);
		await docker(['start', stack.container(elected)]);
		await answers(elected);
		for (const agent of agents) {
			const own = (await of<Array<{own: boolean; point: string; sources: Array<{snapshot: string}>}>>(agent, 'points')).filter(
				({own}) => own,
			);
			t.is(own.length, 1, 'by HOLDFAST_KEEP');
			const [{point, sources}] = own as [(typeof own)[number]];
			const parts = await Promise.all(
				['old', 'new'].map(async name => plainReader(stack).dump(sources[0]?.snapshot ?? '', `/${target}/volume/data/${name}`)),
			);
			t.is(createHash('sha256').update(Buffer.concat(parts)).digest('hex'), hashes.get(point) ?? point);
		}
	}
});
