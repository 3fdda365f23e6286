/** A restore that cannot succeed is refused with every reason, and nothing is touched: neither a database, nor a role, nor a container. Lane: waits. Turns: restore. */
import test from 'ava';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const server = async (image: string, labels: Record<string, string> = {}, environment: Record<string, string> = {}) => ({
	image: await ensureImage(image),
	environment: {POSTGRES_PASSWORD: 'secret', POSTGRES_DB: 'app', ...environment},
	labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'app', ...labels},
});

const psql = async (stack: Stack, service: string, sql: string, user = 'postgres') =>
	stack.exec(service, 'psql', '-h', '127.0.0.1', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', user, '-d', 'app', '-c', sql);

const servers = ['scale', 'old', 'plain', 'modest'] as const;

/** Databases, roles, rows and the starts of containers: it differs when anything was touched. */
async function state(stack: Stack): Promise<string> {
	const sql = `select string_agg(format('%s %s %s', oid, datname, datallowconn), ',' order by oid) from pg_database;
		select string_agg(rolname, ',' order by rolname) from pg_roles; select count(*) from kept`;
	const asked = await Promise.all(servers.map(async service => psql(stack, service, sql)));
	const containers = [...servers, 'client'].map(service => stack.container(service));
	return [...asked, await docker(['inspect', '--format', '{{.Name}} {{.State.StartedAt}}', ...containers])].join('\n');
}

/** The files of its versions under other names: the server then offers another version only. */
const otherVersion = (sign: string) => `cd /usr/share/postgresql/17/extension
	for file in timescaledb--2*; do mv "$file" "timescaledb--${sign}\${file#timescaledb--2}"; done`;
const ownVersion = otherVersion('2').replace('--2*', '--9*').replaceAll('--2}', '--9}');

test('each reason is named, all at once, and nothing is touched', async t => {
	t.timeout(10 * 60_000);
	const stack = await startStack(t, {
		services: {
			scale: await server('holdfast-test/promscale:pg17'),
			old: await server('postgres:15'),
			plain: await server('postgres:17'),
			modest: await server('postgres:17', {'holdfast.postgres.user': 'modest'}),
			client: {
				image: await ensureImage('holdfast-test/app:latest'),
				command: ['sleep', 'infinity'],
				init: true,
				depends_on: ['scale', 'old', 'plain', 'modest'],
			},
		},
	});
	const name = (service: string) => `${stack.project}/${service}`;
	for (const service of servers) {
		await until(`${service} answers`, () => psql(stack, service, 'select 1'), {timeout: 90_000});
		await psql(stack, service, 'create table kept as select generate_series(1, 100)');
	}

	await psql(stack, 'scale', 'create extension timescaledb');
	await psql(stack, 'plain', 'create extension pageinspect');
	await psql(
		stack,
		'modest',
		`create role owner; create role modest login; grant owner to modest; alter database app owner to owner; alter table kept owner to modest;
		create extension pg_trgm`,
	);
	const points = new Map<string, string>();
	for (const service of servers) {
		const [backup] = await stack.backup(name(service));
		t.is(backup?.outcome, 'success', `${service}: ${backup?.error}`);
		points.set(service, backup?.point ?? '');
	}

	const before = await state(stack);
	const refused = async (what: string, args: readonly string[], ...reasons: readonly RegExp[]) => {
		const {exitCode, stderr} = await stack.holdfast('restore', ...args, '--yes');
		t.is(exitCode, 2, `${what}: ${stderr}`);
		for (const reason of reasons) {
			t.regex(stderr, reason, what);
		}
	};

	const ofScale = ['--point', points.get('scale') ?? ''];
	await refused('another target', [name('plain'), ...ofScale], new RegExp(`of target \`${name('scale')}\`, not of \`${name('plain')}\``));
	await refused(
		'an older server, which reads no such archive and lacks an extension',
		[name('old'), ...ofScale, '--force-target'],
		/dumped by PostgreSQL 17\.\d+.* older: 15\.\d+/,
		/archive of version 1\.16.*pg_restore 15\.\d+ reads those up to 1\.14/,
		/does not have the extension timescaledb/,
	);
	const {exitCode} = await stack.holdfast('restore', name('old'), ...ofScale, '--force-target', '--dry-run');
	t.is(exitCode, 2);
	await refused('a missing extension', [name('plain'), ...ofScale, '--force-target'], /does not have the extension timescaledb/);
	await stack.exec('scale', 'sh', '-ec', otherVersion('9'));
	await refused('another version of TimescaleDB', [name('scale')], /timescaledb in version 2\.\S+, and the server has timescaledb 9\./);
	await stack.exec('scale', 'sh', '-ec', ownVersion);
	await refused(
		'a role that may not',
		[name('modest'), '--point', points.get('plain') ?? '', '--force-target'],
		/role `modest` may not create databases/,
		/only a superuser may make the extension pageinspect, and role `modest` is none/,
	);
	t.is(await state(stack), before);

	await psql(stack, 'plain', 'drop table kept; create table kept (n int)');
	const forced = await stack.restore(name('plain'), '--point', points.get('modest') ?? '', '--force-target');
	t.is(forced.outcome, 'success', forced.error);
	t.is(await psql(stack, 'plain', 'select count(*) from kept'), '100');
	t.is(await psql(stack, 'plain', "select string_agg(extname, ',' order by extname) from pg_extension"), 'pg_trgm,plpgsql');

	await psql(stack, 'modest', 'alter role modest createdb; delete from kept');
	const allowed = await stack.restore(name('modest'));
	t.is(allowed.outcome, 'success', allowed.error);
	t.is(await psql(stack, 'modest', 'select count(*) from kept'), '100');

	const whole = await state(stack);
	await stack.change({environment: {HOLDFAST_RESTORE_MARGIN: '900TiB'}});
	await stack.ready();
	await refused('no room', [name('modest')], /too little room.* 921600\.\d+ GiB are needed/);
	t.is(await state(stack), whole);
});
