/** A server whose data directory, WAL and tablespaces lie in mounts of their own: what is a file of the target, what may be named, what a restore writes. Lane: works. Turns: postgres. */
import test from 'ava';
import {ensureImage} from '../../support/images.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

interface Places {
	data: string;
	/** What `POSTGRES_INITDB_WALDIR` says in the official image. */
	wal: string;
}

const mounts = ['data', 'wal', 'space', 'scripts'];

/** One more mount, below the images' own place, holds nothing of the server's. */
const server = async (name: string, {data, wal}: Places, labels: Record<string, string>) => ({
	image: await ensureImage('postgres:17'),
	entrypoint: ['sh', '-c', 'chown postgres /wal /space /var/lib/postgresql/scripts; exec docker-entrypoint.sh postgres'],
	environment: {POSTGRES_PASSWORD: 'x', POSTGRES_DB: 'shop', PGDATA: data, POSTGRES_INITDB_ARGS: `--waldir=${wal}`},
	volumes: [`${name}-data:/srv/pg`, `${name}-wal:/wal`, `${name}-space:/space`, `${name}-scripts:/var/lib/postgresql/scripts`],
	labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'shop', ...labels},
});

const volumesOf = (...names: string[]) => names.flatMap(name => mounts.map(what => `${name}-${what}`));

const psql = async (stack: Stack, service: string, ...statements: string[]) =>
	stack.exec(
		service,
		...['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-h', '/var/run/postgresql', '-U', 'postgres', '-d', 'shop'],
		...statements.flatMap(statement => ['-c', statement]),
	);

/** The first server of a new cluster has no TCP port: this one is the last. */
const answering = async (stack: Stack, service: string) =>
	until('the server answers', async () => stack.exec(service, 'pg_isready', '-h', '127.0.0.1'), {timeout: 120_000});

const inPlan = async (stack: Stack, service: string): Promise<string[]> => {
	const {stdout} = await stack.holdfast('plan', `${stack.project}/${service}`, '--json');
	const {sources} = JSON.parse(stdout) as {sources: Array<{source: string; exclude?: string[]}>};
	return sources.map(({source, exclude = []}) => [source, ...exclude].join(' '));
};

/** What no dump is made of. */
const serversOwn = /PG_VERSION|pg_control|\/[0-9A-F]{24}$|PG_17_/m;

test('what is the server’s own in mounts that hold more is left out of them, also by a restore, which writes nothing of a tablespace that came later', async t => {
	t.timeout(8 * 60_000);
	const stack = await startStack(t, {
		volumes: volumesOf('all'),
		services: {all: await server('all', {data: '/srv/pg/17/data', wal: '/wal/log'}, {'holdfast.volumes': 'true'})},
	});
	const target = `${stack.project}/all`;
	await answering(stack, 'all');
	const sh = async (script: string) => stack.exec('all', 'sh', '-ec', script);
	await sh('install -d -o postgres /space/fast; for f in /srv/pg /wal /space /var/lib/postgresql/scripts; do echo first >$f/mine; done');
	await psql(stack, 'all', "create tablespace fast location '/space/fast'");
	await psql(stack, 'all', 'create table t tablespace fast as select generate_series(1, 1000) n');
	t.deepEqual(await inPlan(stack, 'all'), [
		'postgres:shop',
		'volume:/space /fast',
		'volume:/srv/pg /17/data',
		// The image's own, which is not used.
		'volume:/var/lib/postgresql/data',
		'volume:/var/lib/postgresql/scripts',
		'volume:/wal /log',
	]);
	const {stdout: doctor} = await stack.holdfast('doctor');
	t.notRegex(doctor, /no target backs up/);
	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);
	for (const {source, snapshot} of backup?.sources ?? []) {
		const listed = await stack.restic('ls', snapshot ?? '');
		t.notRegex(listed, serversOwn, source);
		t.is(/\/mine$/m.test(listed), source.startsWith('volume:') && source !== 'volume:/var/lib/postgresql/data');
	}

	await sh('for f in /srv/pg /wal /space /var/lib/postgresql/scripts; do echo second >$f/mine; done');
	await psql(stack, 'all', 'delete from t', 'checkpoint');
	const started = await stack.docker(['inspect', '--format', '{{.State.StartedAt}}', stack.container('all')]);
	const own = async () => sh('stat -c "%n %i" /srv/pg/17/data/PG_VERSION /srv/pg/17/data/global/pg_control /wal/log/* /space/fast/*');
	const before = await own();
	const restored = await stack.restore(target);
	t.is(restored.outcome, 'success', restored.error);
	t.is(await stack.docker(['inspect', '--format', '{{.State.StartedAt}}', stack.container('all')]), started);
	t.is(await own(), before, 'nothing of the server was written anew');
	t.is(await sh('cat /srv/pg/mine /wal/mine /space/mine /var/lib/postgresql/scripts/mine'), 'first\nfirst\nfirst\nfirst');
	t.is(await psql(stack, 'all', 'select count(*) from t'), '1000');
	// It finds all that it left when it comes again.
	await stack.docker(['restart', stack.container('all')]);
	await answering(stack, 'all');
	t.is(await psql(stack, 'all', 'select count(*) from t'), '1000');

	// Since the backup, a mount that was files alone has become the server's, too.
	await sh('install -d -o postgres /var/lib/postgresql/scripts/late');
	await psql(stack, 'all', "create tablespace late location '/var/lib/postgresql/scripts/late'");
	await psql(stack, 'all', 'create table precious tablespace late as select generate_series(1, 500) n', 'checkpoint');
	for (const only of [[], ['--only', 'volume:/var/lib/postgresql/scripts']]) {
		const refused = await stack.holdfast('restore', target, '--yes', ...only);
		t.is(refused.exitCode, 2);
		t.regex(
			refused.stderr,
			/`volume:\/var\/lib\/postgresql\/scripts` would write a part \(`\/var\/lib\/postgresql\/scripts\/late`\) of the PostgreSQL server/,
		);
	}

	const alone = await stack.restore(target, '--only', 'postgres:shop', '--only', 'volume:/wal');
	t.is(alone.outcome, 'success', alone.error);
	t.is(
		(await inPlan(stack, 'all')).find(source => source.includes('scripts')),
		'volume:/var/lib/postgresql/scripts /late',
	);
	t.is(
		await stack.exec('all', 'sh', '-c', 'find /var/lib/postgresql/scripts/late -type f | wc -l | grep -vx 0 >/dev/null && echo there'),
		'there',
	);
});

test('mounts that are the server’s alone: no files, refused when they are named, and protected; another below its place is neither', async t => {
	t.timeout(5 * 60_000);
	const places = {data: '/srv/pg/data', wal: '/wal'};
	const stack = await startStack(t, {
		volumes: volumesOf('dumped', 'named'),
		services: {
			dumped: await server('dumped', places, {}),
			named: await server('named', places, {'holdfast.volumes': '/wal,/space,/var/lib/postgresql/scripts'}),
		},
	});
	for (const service of ['dumped', 'named']) {
		await answering(stack, service);
		await psql(stack, service, "create tablespace fast location '/space'");
		await psql(stack, service, 'create table t tablespace fast as select generate_series(1, 1000) n');
	}

	t.deepEqual(await inPlan(stack, 'dumped'), ['postgres:shop']);
	const {stdout: doctor} = await stack.holdfast('doctor');
	const unprotected = [...doctor.matchAll(/no target backs up .* which `.*-dumped-1` has at (\S+)/g)].map(([, path]) => path);
	t.deepEqual(unprotected.sort(), ['/var/lib/postgresql/data', '/var/lib/postgresql/scripts']);

	const plan = await stack.holdfast('plan', `${stack.project}/named`);
	for (const path of ['/wal', '/space']) {
		t.regex(
			plan.stdout + plan.stderr,
			new RegExp(
				`must not name the mount "${path}" .*: it holds the data directory of a Postgres server that is dumped, its WAL or a tablespace`,
			),
		);
	}

	t.notRegex(plan.stdout + plan.stderr, /must not name the mount "\/var\/lib\/postgresql\/scripts"/);
	const [refused] = await stack.backup(`${stack.project}/named`);
	t.is(refused?.outcome, 'failed');
	t.regex(refused?.error ?? '', /must not name the mount "\/wal"/);
});
