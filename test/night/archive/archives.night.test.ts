/** Portable archives on a real engine: out, in again, restored; made by hand from their description alone; and refused. */
import {randomBytes} from 'node:crypto';
import {mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import {docker} from '../../support/docker.ts';
import {archive, good, type metadata} from '../../support/doubles/portable.ts';
import {ensureImage} from '../../support/images.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const server = async (version: string, labels: Record<string, string>) => ({
	image: await ensureImage(`postgres:${version}`),
	environment: {POSTGRES_PASSWORD: 'secret', POSTGRES_DB: 'app'},
	healthcheck: {test: ['CMD', 'pg_isready', '-h', '127.0.0.1', '-U', 'postgres'], interval: '1s', retries: 60},
	labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'app', ...labels},
});

const psql = async (stack: Stack, service: string, sql: string) =>
	stack.exec(service, 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres', '-d', 'app', '-c', sql);

const dumped = async (stack: Stack, service: string, ...args: string[]): Promise<Buffer> =>
	Buffer.from(
		(await execa('docker', ['exec', stack.container(service), 'pg_dump', '-U', 'postgres', ...args, 'app'], {encoding: 'buffer'})).stdout,
	);

const exported = async (stack: Stack, ...args: string[]): Promise<Buffer> =>
	Buffer.from((await execa('docker', ['exec', stack.container('holdfast'), 'holdfast', 'export', ...args], {encoding: 'buffer'})).stdout);

interface Imported {
	exitCode: number | undefined;
	stderr: string;
	point: string | undefined;
}

async function imported(stack: Stack, target: string, content: Buffer, ...args: string[]): Promise<Imported> {
	const {exitCode, stdout, stderr} = await execa(
		'docker',
		['exec', '-i', stack.container('holdfast'), 'holdfast', 'import', `${stack.project}/${target}`, '-', '--json', ...args],
		{input: content, reject: false},
	);
	return {exitCode, stderr: stderr + stdout, point: stdout === '' ? undefined : (JSON.parse(stdout) as {point: string}).point};
}

const points = async (stack: Stack, target: string) =>
	(
		JSON.parse((await stack.holdfast('points', `${stack.project}/${target}`, '--json')).stdout) as Array<{
			point: string;
			sources: unknown[];
		}>
	).map(({point}) => point);

const folder = async (t: ExecutionContext): Promise<string> => {
	const path = await mkdtemp(join(tmpdir(), 'holdfast-archive-'));
	t.teardown(async () => rm(path, {recursive: true, force: true}));
	return path;
};

const files = {
	'0d3e301f-1c2b-4d5e-8f90-a1b2c3d4e5f6': 'first',
	'0d3eaaaa-1c2b-4d5e-8f90-a1b2c3d4e5f6': 'second',
	'ffee301f-1c2b-4d5e-8f90-a1b2c3d4e5f6': randomBytes(300_000).toString('hex'),
};

const treePath = (uuid: string) => `${uuid.slice(0, 2)}/${uuid.slice(2, 4)}/${uuid}`;

const fingerprint =
	"cd /data; find . -type f ! -path './.volume.holdfast-*' -exec sha256sum {} + | sort; find . -type f ! -path './.volume.holdfast-*' -printf '%p %U:%G\\n' | sort; stat -c '%u:%g %a' /data";

const content = `create role shopkeeper login; alter database app owner to shopkeeper; grant all on schema public to shopkeeper; set role shopkeeper;
	create table entries (n bigserial primary key, payload text not null); insert into entries (payload) select md5(i::text) from generate_series(1, 2000) i;
	create view newest as select * from entries order by n desc limit 1; create type colour as enum ('red'); create function two() returns int language sql as 'select 2';
	grant select on entries to public`;

const owners = `select string_agg(relname || ' ' || pg_get_userbyid(relowner), ',' order by relname) from pg_class
	where relnamespace = 'public'::regnamespace and relkind in ('r', 'v', 'S')`;

test('portable archives go out and come in', async t => {
	const image = await ensureImage('holdfast-test/app:latest');
	const stack = await startStack(t, {
		volumes: ['data'],
		services: {
			db: await server('17', {'holdfast.group': 'shop'}),
			old: await server('15', {}),
			app: {
				image,
				command: ['sleep', 'infinity'],
				init: true,
				volumes: ['data:/data'],
				labels: {
					'holdfast.enable': 'true',
					'holdfast.group': 'shop',
					'holdfast.volumes': 'true',
					'org.opencontainers.image.version': '4.2.0',
				},
			},
		},
	});
	await Promise.all(['db', 'old'].map(async name => until(`${name} answers`, () => psql(stack, name, 'select 1'))));
	await psql(stack, 'db', content);
	for (const [uuid, text] of Object.entries(files)) {
		await execa(
			'docker',
			['exec', '-i', stack.container('app'), 'sh', '-ec', 'mkdir -p "/data/$(dirname "$1")"; cat >"/data/$1"', 'sh', treePath(uuid)],
			{input: text},
		);
	}

	await stack.exec('app', 'sh', '-c', 'chown -R 1234:4321 /data; chmod 750 /data');
	const before = await stack.exec('app', 'sh', '-c', fingerprint);
	const rows = 'select count(*), sum(hashtext(payload)::bigint) from entries';
	const rowsBefore = await psql(stack, 'db', rows);
	const target = `${stack.project}/shop`;
	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);

	// Out: what plain programs find in it.
	const path = await folder(t);
	const whole = await exported(stack, target);
	await writeFile(join(path, 'a.tar.gz'), whole);
	await mkdir(join(path, 'a'));
	await execa('tar', ['-xzf', join(path, 'a.tar.gz'), '-C', join(path, 'a')]);
	t.deepEqual((await readdir(join(path, 'a'))).toSorted(), ['.metadata', 'db', 'tree']);
	const described = JSON.parse(await readFile(join(path, 'a/.metadata'), 'utf8')) as typeof metadata;
	t.deepEqual(Object.keys(described).toSorted(), ['databaseSize', 'dumpSize', 'duration', 'filesSize', 'modelVersion']);
	t.true(Object.values(described).every(value => typeof value === 'string'));
	t.is(described.modelVersion, '4.2.0');
	t.is(described.filesSize, String(Object.values(files).join('').length));
	for (const [uuid, text] of Object.entries(files)) {
		t.is(await readFile(join(path, 'a/tree', treePath(uuid)), 'utf8'), text);
	}

	const listing = await execa('docker', ['exec', '-i', stack.container('db'), 'pg_restore', '--list'], {
		input: await readFile(join(path, 'a/db/db.backup')),
	});
	t.regex(listing.stdout, /TABLE DATA public entries/);
	const named = await stack.holdfast('export', target, '-o', '/tmp/shop.tar.gz', '--json');
	t.is(named.exitCode, 0, named.stderr);
	t.like(JSON.parse(named.stdout), {target, point: backup?.point, file: '/tmp/shop.tar.gz'});
	t.regex((await stack.holdfast('export', target, '-o', '/tmp/shop.tar.gz')).stderr, /exists already/);

	// In again, and restored.
	const again = await imported(stack, 'shop', whole);
	t.is(again.exitCode, 0, again.stderr);
	t.deepEqual(await points(stack, 'shop'), [again.point ?? '', backup?.point ?? '']);
	await psql(stack, 'db', 'drop table entries cascade; drop function two(); drop type colour');
	await stack.exec('app', 'sh', '-c', 'rm -rf /data/0d; mkdir -p /data/aa/bb; echo new >/data/aa/bb/aabb301f-1c2b-4d5e-8f90-a1b2c3d4e5f6');
	const planned = await stack.holdfast('restore', target, '--point', again.point ?? '', '--dry-run');
	t.regex(planned.stdout, /the point was imported from "standard input"/);
	const restored = await stack.restore(target, '--point', again.point ?? '');
	t.is(restored.outcome, 'success', restored.error);
	t.is(await psql(stack, 'db', rows), rowsBefore);
	t.is(await stack.exec('app', 'sh', '-c', fingerprint), before);
	t.is(await psql(stack, 'db', owners), 'entries shopkeeper,entries_n_seq shopkeeper,newest shopkeeper');
	t.is(
		await psql(
			stack,
			'db',
			"select pg_get_userbyid(proowner) || pg_get_userbyid(typowner) from pg_proc, pg_type where proname = 'two' and typname = 'colour'",
		),
		'shopkeepershopkeeper',
	);
	const back = await stack.holdfast('restore', 'undo', restored.run);
	t.is(back.exitCode, 0, back.stderr);
	t.is(await stack.exec('app', 'cat', '/data/aa/bb/aabb301f-1c2b-4d5e-8f90-a1b2c3d4e5f6'), 'new');

	// Made by hand, from the description alone.
	const hand = join(path, 'hand');
	const uuid = 'abcd1234-0000-4000-8000-000000000001';
	await mkdir(join(hand, 'db'), {recursive: true});
	await mkdir(join(hand, 'tree/ab/cd'), {recursive: true});
	await writeFile(
		join(hand, '.metadata'),
		JSON.stringify({duration: '3', dumpSize: '1', modelVersion: '9.9', databaseSize: '1', filesSize: '4'}),
	);
	await psql(stack, 'db', 'create table handmade as select 42 as answer');
	await writeFile(join(hand, 'db/db.backup'), await dumped(stack, 'db', '-O', '-x', '-Fc'));
	await writeFile(join(hand, 'tree/ab/cd', uuid), 'hand');
	await execa('tar', ['-czf', join(path, 'files_and_database-hand-202611030405.tar.gz'), '-C', hand, '.']);
	const handmade = await readFile(join(path, 'files_and_database-hand-202611030405.tar.gz'));
	await psql(stack, 'db', 'drop table handmade');
	const byHand = await imported(stack, 'shop', handmade);
	t.is(byHand.exitCode, 0, byHand.stderr);
	const fromHand = await stack.restore(target, '--point', byHand.point ?? '');
	t.is(fromHand.outcome, 'success', fromHand.error);
	t.is(await psql(stack, 'db', 'select answer from handmade'), '42');
	t.is(
		await stack.exec('app', 'sh', '-c', "cd /data; find . -type f ! -path './.volume.holdfast-*' -printf '%p %U:%G\\n'"),
		`./ab/cd/${uuid} 1234:4321`,
	);
	t.is(await stack.exec('app', 'sh', '-c', "stat -c '%u:%g %a' /data"), '1234:4321 750');

	// A dump alone; then the files stay as they are.
	const alone = await imported(stack, 'shop', await dumped(stack, 'db', '-Fc'));
	t.is(alone.exitCode, 0, alone.stderr);
	const known = await points(stack, 'shop');
	t.is(known.length, 4);
	const snapshots = JSON.parse(await stack.restic('snapshots', '--json', '--tag', `run:${alone.point}`)) as Array<{tags: string[]}>;
	t.deepEqual(
		snapshots.flatMap(({tags}) => tags.filter(tag => tag.startsWith('source:'))),
		['source:db/postgres:app'],
	);

	// Refused, with nothing left of it.
	const [metadataFile] = good;
	const broken = (await dumped(stack, 'db', '-Fc')).subarray(0, -50);
	const refusals: Array<[string, string, Buffer, RegExp]> = [
		[
			'newer than the server',
			'old',
			await dumped(stack, 'db', '-Fc'),
			/archive of version 1\.16, and the container's pg_restore 15\.\d+ reads those up to 1\.14/,
		],
		['plain', 'shop', await dumped(stack, 'db', '-Fp'), /not a dump in custom format/],
		[
			'broken within',
			'shop',
			await archive([...(metadataFile ? [metadataFile] : []), {name: 'db/db.backup', content: broken}]),
			/pg_restore/,
		],
		['twice', 'shop', await archive([...good, ...good.slice(-1)]), /twice/],
		['no place for files', 'old', await archive(), /no volume/],
		['cut', 'shop', handmade.subarray(0, -100), /cannot be read to its end/],
	];
	for (const [what, where, bytes, reason] of refusals) {
		const refused = await imported(stack, where, bytes);
		t.not(refused.exitCode, 0, what);
		t.regex(refused.stderr, reason, what);
	}

	t.deepEqual(await points(stack, 'shop'), known);
	t.deepEqual(await points(stack, 'old'), []);

	// Killed while it takes an archive: nothing is listed, nothing is left.
	const hanging = execa('docker', ['exec', '-i', stack.container('holdfast'), 'holdfast', 'import', target, '-'], {reject: false});
	hanging.stdin.write(handmade.subarray(0, -10));
	await until('the archive comes in', async () => {
		const {body} = await stack.api('GET', `/api/v1/runs?target=${target}&limit=1`);
		return (body as Array<{operation: string; state: string}>).some(({operation, state}) => operation === 'import' && state === 'running');
	});
	await until('its worker is there', async () => docker(['inspect', '--format', '{{.Id}}', ...(await workers(stack))]));
	await docker(['kill', stack.container('holdfast')]);
	hanging.stdin.end();
	await hanging;
	await docker(['start', stack.container('holdfast')]);
	await stack.ready();
	await until('the run is closed', async () => {
		const {body} = await stack.api('GET', `/api/v1/runs?target=${target}&limit=1`);
		return (body as Array<{outcome: string | null}>)[0]?.outcome === 'failed';
	});
	t.deepEqual(await points(stack, 'shop'), known);
	await until('its worker is gone', async () => (await workers(stack)).length === 0);

	// A repository that fails in the midst of it: no file, and no success.
	const lose = 'mkdir /repository/away && find /repository/data -type f -size +100k -exec mv -t /repository/away {} +';
	await docker(['exec', stack.container('holdfast'), 'sh', '-c', lose]);
	const lost = await stack.holdfast('export', target, '--point', backup?.point ?? '', '-o', '/tmp/lost.tar.gz');
	t.is(lost.exitCode, 1, lost.stderr);
	t.regex(lost.stderr, /broke off, and nothing is left of it/);
	t.is(await docker(['exec', stack.container('holdfast'), 'sh', '-c', 'ls -A /tmp | grep lost || true']), '');
});

const workers = async (stack: Stack): Promise<string[]> => {
	const image = await docker(['inspect', '--format', '{{.Image}}', stack.container('holdfast')]);
	const found = await docker(['ps', '--quiet', '--filter', 'label=holdfast.worker', '--filter', `ancestor=${image}`]);
	return found.split('\n').filter(Boolean);
};
