/** Backups whose moment is looked at with plain restic and psql. */
import type {ExecutionContext} from 'ava';
import {execa} from 'execa';
import type {RunEvent} from '../../../base/events.ts';
import type {BackupResult} from '../../../base/results.ts';
import {ensureImage} from '../images.ts';
import {observeBackup} from '../stack/observe.ts';
import {type Stack, startStack} from '../stack.ts';
import {until} from '../until.ts';

export const quiet = {'holdfast-test': 'moment'};

const succeeded = (t: ExecutionContext, result: BackupResult): BackupResult => {
	t.is(result.outcome, 'success', result.error);
	return result;
};

export const snapshotOf = ({sources}: BackupResult, source: string): string => sources.find(each => each.source === source)?.snapshot ?? '';

export const backUp = async (t: ExecutionContext, stack: Stack, service: string, onEvent?: (event: RunEvent) => unknown) => {
	const {result, events} = await observeBackup(stack, `${stack.project}/${service}`, onEvent);
	return {result: succeeded(t, result), events};
};

/** A command line of plain restic on the stack's repository, as the beginning of a shell command in Holdfast's container. */
export const plainRestic =
	'RESTIC_PASSWORD_FILE=/state/repository-password restic --repo=/repository --cache-dir=/tmp/plain-restic --quiet';

/** A database and files that one application writes in turn: row n, then file n. */
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

/**
 * Rows and files of a group are of one moment, with each of these amounts more in its database.
 * @returns the outage of each backup, and how long its dump took, in seconds
 */
export async function momentOfGroup(t: ExecutionContext, amounts: readonly number[]): Promise<Array<{outage: number; dump: number}>> {
	const stack = await startShop(t);
	const measured: Array<{outage: number; dump: number}> = [];
	for (const megabytes of amounts) {
		await fill(stack, megabytes * 10);
		const {result, events} = await backUp(t, stack, 'shop');
		const newest = Number(await sql(stack, 'shop', 'select max(n) from entries'));
		const {row, file} = await newestIn(t, stack, result);
		const dump = storeSeconds(events, 'db/postgres:shop');
		const {quiesceSeconds: outage} = result;
		t.log(
			`${megabytes} MB more: outage ${outage.toFixed(2)} s, dump ${dump.toFixed(1)} s; row ${row}, file ${file}, row ${newest} afterwards`,
		);
		t.true([0, 1].includes(row - file), `row ${row}, file ${file}`);
		t.true(newest > row + 1, 'the app wrote on while its database was dumped');
		measured.push({outage, dump});
	}

	return measured;
}
