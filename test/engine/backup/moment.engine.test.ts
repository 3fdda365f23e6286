/** The moment that a point shows, proven with plain restic and psql, and what it costs: an outage that does not grow with the data. */
import {mkdtemp, rm} from 'node:fs/promises';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import type {RunEvent} from '../../../base/events.ts';
import type {BackupResult} from '../../../base/results.ts';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {observeBackup} from '../../support/observe.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const quiet = {'holdfast-test': 'moment'};

const succeeded = (t: ExecutionContext, result: BackupResult): BackupResult => {
	t.is(result.outcome, 'success', result.error);
	return result;
};

const snapshotOf = ({sources}: BackupResult, source: string): string => sources.find(each => each.source === source)?.snapshot ?? '';

const backUp = async (t: ExecutionContext, stack: Stack, service: string, onEvent?: (event: RunEvent) => unknown) => {
	const {result, events} = await observeBackup(stack, `${stack.project}/${service}`, onEvent);
	return {result: succeeded(t, result), events};
};

/** A command line of plain restic on the stack's repository, as the beginning of a shell command in Holdfast's container. */
const plainRestic = 'RESTIC_PASSWORD_FILE=/state/repository-password restic --repo=/repository --cache-dir=/tmp/plain-restic --quiet';

/** How long `restic backup` takes for all of a volume, by itself, into a new repository on the same disk. */
async function bareBackupSeconds(t: ExecutionContext, stack: Stack, volume: string): Promise<number> {
	const name = `${stack.project}-bare`;
	const image = await docker(['inspect', '--format={{.Image}}', stack.container('holdfast')]);
	const mounts = [`${stack.project}_${volume}:/data:ro`, `${name}:/repository`];
	await docker(['volume', 'create', '--label=holdfast-test=moment', name]);
	t.teardown(() => docker(['volume', 'rm', '--force', name]));
	const environment = ['RESTIC_PASSWORD=bare', 'RESTIC_REPOSITORY=/repository', 'RESTIC_CACHE_DIR=/repository/cache'];
	await docker([
		...['run', '--detach', '--name', name, '--label=holdfast-test=moment', '--entrypoint=sleep'],
		...mounts.flatMap(mount => ['--volume', mount]),
		...environment.flatMap(setting => ['--env', setting]),
		...[image, 'infinity'],
	]);
	const remove = () => docker(['rm', '--force', name]);
	try {
		await docker(['exec', name, 'restic', 'init']);
		const started = performance.now();
		await docker(['exec', name, 'restic', 'backup', '--quiet', '/data'], {timeout: 600_000});
		return (performance.now() - started) / 1000;
	} finally {
		await remove();
		await docker(['volume', 'rm', name]);
	}
}

test.serial('the outage of 2 GB in 20,000 files, of which 1 % change all the time, is a small part of a backup of it', async t => {
	t.timeout(20 * 60_000);
	const image = await ensureImage('holdfast-test/app:latest');
	const stack = await startStack(t, {
		slowKey: true,
		services: {
			app: {
				image,
				init: true,
				command: ['many-files', '/data/files', '20000', '100000', '100'],
				volumes: ['files:/data'],
				labels: {...quiet, 'holdfast.enable': 'true'},
			},
		},
		volumes: ['files'],
	});
	await until('the volume is filled', () => stack.exec('app', 'ls', '/data/filled'), {timeout: 300_000, interval: 500});
	const {result: first} = await backUp(t, stack, 'app');
	const bare = await bareBackupSeconds(t, stack, 'files');
	const {result: second} = await backUp(t, stack, 'app');
	for (const [which, {quiesceSeconds}] of Object.entries({first, second})) {
		const share = quiesceSeconds / bare;
		t.log(`${which} backup: outage ${quiesceSeconds.toFixed(2)} s, bare restic ${bare.toFixed(2)} s: ${(share * 100).toFixed(1)} %`);
		t.true(share <= 0.15, `${which} backup: ${quiesceSeconds} s of ${bare} s`);
	}

	t.true((second.sources[0]?.bytes ?? 0) >= 1_990_000_000);
});

/** What the snapshot has of the page and of the log that was written beside it. */
async function countsIn(stack: Stack, service: string, result: BackupResult): Promise<{page: number; log: number}> {
	const folder = `/${stack.project}/${service}/volume/data`;
	const read = async (file: string, reader: string) =>
		Number(
			await stack.exec(
				...(['holdfast', 'sh', '-c', `${plainRestic} dump -- "$1" "$2" | ${reader}`, 'sh'] as const),
				snapshotOf(result, 'volume:/data'),
				`${folder}/${file}`,
			),
		);
	return {page: await read('page', 'od -An -tu8 -N8'), log: await read('log', 'tail -n 1')};
}

test.serial('what changes through mmap without a new time is in the snapshot as it was in the moment', async t => {
	t.timeout(10 * 60_000);
	const image = await ensureImage('holdfast-test/app:latest');
	const memory = await mkdtemp('/dev/shm/holdfast-moment-');
	t.teardown(() => rm(memory, {recursive: true, force: true}));
	const mapped = (volume: string) => ({
		image,
		init: true,
		stop_grace_period: '1s',
		command: ['python3', '/app/map-page.py'],
		volumes: [`${volume}:/data`],
		labels: {...quiet, 'holdfast.enable': 'true'},
	});
	const stack = await startStack(t, {slowKey: true, services: {disk: mapped('mapped'), memory: mapped(memory)}, volumes: ['mapped']});
	for (const service of ['disk', 'memory']) {
		let lastChange = 0;
		const {result: moving} = await backUp(t, stack, service, async event => {
			if (event.type === 'step' && event.step === 'store') {
				await stack.exec(service, 'sh', '-c', 'touch /data/halt; until test -e /data/rests; do sleep 0.02; done');
				lastChange = Date.now() / 1000;
			}
		});
		const inMotion = await countsIn(stack, service, moving);
		const pageTime = Number(await stack.exec(service, 'stat', '--format=%Y', '/data/page'));
		const {result: resting} = await backUp(t, stack, service);
		const atRest = await countsIn(stack, service, resting);
		const final = Number(await stack.exec(service, 'tail', '-n', '1', '/data/log'));
		const age = (lastChange - pageTime).toFixed(1);
		t.log(`${service}: page ${inMotion.page} beside log ${inMotion.log}; at rest ${atRest.page} of ${final}, ${age} s newer than its time`);
		t.true(inMotion.page > 0);
		t.true([0, 1].includes(inMotion.page - inMotion.log), `${service}: page ${inMotion.page}, log ${inMotion.log}`);
		t.deepEqual(atRest, {page: final, log: final}, `${service}: changed after the moment of the run before, and never again`);
	}
});

/** How often the run read the files while the application ran, by the commands that the engine was given. */
async function firstPasses(stack: Stack, {startedAt}: BackupResult): Promise<number> {
	const to = String(Math.ceil(Date.now() / 1000));
	const format = ['--filter', 'event=exec_create', '--format', '{{.Action}}'];
	const commands = await docker(['events', '--since', startedAt, '--until', to, ...format], {timeout: 30_000});
	return commands.split('\n').filter(line => line.includes('--tag=holdfast-first-pass') && line.includes(`${stack.project}/app`)).length;
}

test.serial('what did not change is not read while the application runs; what changes in the last moment is in the point', async t => {
	const stack = await startStack(t, {
		services: {
			app: {
				image: await ensureImage('debian:trixie-slim'),
				init: true,
				command: ['sh', '-c', 'seq 100000 >/data/old; exec sleep infinity'],
				volumes: ['data:/data'],
				labels: {
					...quiet,
					'holdfast.enable': 'true',
					'holdfast.before': 'cp /tmp/late /data/late',
					'holdfast.before.on-error': 'continue',
				},
			},
		},
		volumes: ['data'],
	});
	const {result: first} = await backUp(t, stack, 'app');
	t.is(await firstPasses(stack, first), 1);
	// Now the files are older than the run that this one looks back to.
	await backUp(t, stack, 'app');
	await stack.exec('app', 'sh', '-c', 'echo late >/tmp/late');
	const {result: third} = await backUp(t, stack, 'app');
	t.is(await firstPasses(stack, third), 0);
	const folder = `/${stack.project}/app/volume/data`;
	t.is(await stack.restic('dump', snapshotOf(third, 'volume:/data'), `${folder}/late`), 'late');
	t.regex(await stack.restic('dump', snapshotOf(third, 'volume:/data'), `${folder}/old`), /^100000$/m);
	const {result: fourth} = await backUp(t, stack, 'app');
	t.true((await firstPasses(stack, fourth)) > 0, 'the hook has changed the volume since');
});

async function startShop(t: ExecutionContext): Promise<Stack> {
	const member = {'holdfast.enable': 'true', 'holdfast.group': 'shop', ...quiet};
	const stack = await startStack(t, {
		slowKey: true,
		services: {
			db: {
				image: await ensureImage('postgres:17'),
				environment: {POSTGRES_PASSWORD: 'shop', POSTGRES_DB: 'shop'},
				volumes: ['pgdata:/var/lib/postgresql/data'],
				shm_size: '256mb',
				healthcheck: {test: ['CMD', 'pg_isready', '-h', '127.0.0.1', '-U', 'postgres'], interval: '1s', retries: 60},
				labels: {...member, 'holdfast.postgres': 'shop'},
			},
			app: {
				image: await ensureImage('holdfast-test/app:latest'),
				init: true,
				command: ['write-postgres'],
				environment: {PGHOST: 'db', PGUSER: 'postgres', PGPASSWORD: 'shop', PGDATABASE: 'shop'},
				volumes: ['files:/data'],
				depends_on: {db: {condition: 'service_healthy'}},
				labels: member,
			},
		},
		volumes: ['pgdata', 'files'],
	});
	await until('the app writes', () => stack.exec('app', 'ls', '/data/files/10'), {timeout: 120_000, interval: 200});
	return stack;
}

const sql = async (stack: Stack, database: string, command: string): Promise<string> =>
	stack.exec('db', 'psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres', '-d', database, '-c', command);

/** Rows of 100 kB that are stored as they are; not in the write-ahead log, which is no part of this. */
const fill = async (stack: Stack, rows: number) =>
	sql(
		stack,
		'shop',
		`create unlogged table if not exists zz_bulk (payload text);
		alter table zz_bulk alter payload set storage external;
		insert into zz_bulk select repeat(md5(n::text), 3125) from generate_series(1, ${rows}) n`,
	);

/** The newest row of a point, restored with pg_restore into a scratch database from what plain restic gives, and the newest file. */
async function newestIn(t: ExecutionContext, stack: Stack, result: BackupResult): Promise<{row: number; file: number}> {
	await sql(stack, 'postgres', 'drop database if exists scratch');
	await sql(stack, 'postgres', 'create database scratch');
	const path = `/${stack.project}/shop/db/postgres/shop`;
	const dump = ['sh', '-c', `exec env ${plainRestic} dump -- "$1" "$2"`, 'sh', snapshotOf(result, 'db/postgres:shop'), path];
	const load = ['pg_restore', '--exit-on-error', '--table=entries', '--username=postgres', '--dbname=scratch'];
	const dumping = execa('docker', ['exec', stack.container('holdfast'), ...dump], {reject: false, buffer: false});
	const {exitCode, stderr} = await dumping.pipe('docker', ['exec', '--interactive', stack.container('db'), ...load], {reject: false});
	t.is(exitCode, 0, String(stderr));
	const [count, row = Number.NaN] = (await sql(stack, 'scratch', "select count(*) || ' ' || max(n) from entries")).split(' ').map(Number);
	t.is(count, row, 'no row is missing before the newest');

	const listed = await stack.restic('ls', snapshotOf(result, 'app/volume:/data'), `/${stack.project}/shop/app/volume/data/files`);
	const files = [...listed.matchAll(/\/files\/(\d+)$/gm)].map(([, n]) => Number(n));
	const file = Math.max(...files);
	t.is(files.length, file, 'no file is missing before the newest');
	return {row, file};
}

/** How long it took to store a source, by the run's own events. */
const storeSeconds = (events: readonly RunEvent[], source: string): number => {
	const steps = events.filter(event => event.type === 'step');
	const at = steps.findIndex(({step, subject}) => step === 'store' && subject === source);
	return ((steps[at + 1]?.at ?? Number.NaN) - (steps[at]?.at ?? Number.NaN)) / 1000;
};

test.serial('rows and files of a group are of one moment, and its outage does not grow with the database', async t => {
	t.timeout(20 * 60_000);
	const stack = await startShop(t);
	const measured: number[] = [];
	for (const megabytes of [20, 1980]) {
		await fill(stack, megabytes * 10);
		const {result, events} = await backUp(t, stack, 'shop');
		const newest = Number(await sql(stack, 'shop', 'select max(n) from entries'));
		const {row, file} = await newestIn(t, stack, result);
		const dumped = storeSeconds(events, 'db/postgres:shop');
		const {quiesceSeconds} = result;
		t.log(
			`${megabytes} MB more: outage ${quiesceSeconds.toFixed(2)} s, dump ${dumped.toFixed(1)} s; row ${row}, file ${file}, row ${newest} afterwards`,
		);
		t.true([0, 1].includes(row - file), `row ${row}, file ${file}`);
		t.true(newest > row + 1, 'the app wrote on while its database was dumped');
		measured.push(quiesceSeconds);
		if (megabytes > 1000) {
			t.true(dumped > 2 * quiesceSeconds, `dump ${dumped} s, outage ${quiesceSeconds} s`);
		}
	}

	const [small = 0, big = 0] = measured;
	t.true(big < 3 * small + 1, `${big} s with the big database, ${small} s with the small one`);
});
