/** The images and engines that the tests themselves stand on. */
import {randomUUID} from 'node:crypto';
import test from 'ava';
import {buildHoldfast} from '../../support/build-image.ts';
import {docker, tryDocker} from '../../support/docker.ts';
import {ensureEngine} from '../../support/engine.ts';
import {ensureImage} from '../../support/images.ts';
import {ensureCompose} from '../../support/machine/compose.ts';
import {canStartSecondEngine, startSecondEngine} from '../../support/machine/second-engine.ts';
import {until} from '../../support/until.ts';

// One after the other: two builds at once take longer on two cores, and starve what a test then waits for
test.before(async t => {
	t.timeout(20 * 60_000);
	await ensureEngine();
	for (const image of ['postgres:15', 'postgres:17', 'postgres:18', 'holdfast-test/timescaledb:pg17', 'holdfast-test/app:latest']) {
		await ensureImage(image);
	}
});

// Creating a cluster takes two seconds of a processor that other tests want too
const patience = {timeout: 2 * 60_000};

const container = (t: {teardown: (work: () => Promise<unknown>) => void}): string => {
	const name = `holdfast-test-${randomUUID().slice(0, 8)}`;
	t.teardown(() => docker(['rm', '--force', '--volumes', name]));
	return name;
};

for (const major of ['15', '17', '18']) {
	test(`postgres:${major} starts like the official image and answers psql`, async t => {
		const image = await ensureImage(`postgres:${major}`);
		const name = container(t);
		const settings = {POSTGRES_USER: 'app', POSTGRES_PASSWORD: 'it is secret', POSTGRES_DB: 'metadb'};
		const environment = Object.entries(settings).flatMap(([key, value]) => ['--env', `${key}=${value}`]);
		await docker(['run', '--detach', '--name', name, '--label', 'holdfast-test', ...environment, image]);

		const psql = ['psql', '--tuples-only', '--no-align', '--username', 'app', '--dbname', 'metadb', '--command'];
		const overTcp = ['exec', '--env', 'PGPASSWORD=it is secret', '--env', 'PGHOST=127.0.0.1', name, ...psql];
		const version = await until('the server to answer', () => tryDocker([...overTcp, 'show server_version_num']), patience);
		t.is(version.slice(0, 2), major);
		t.is(await docker(['exec', name, ...psql, 'select 1']), '1', 'the local socket needs no password');
		t.is(await docker(['exec', name, 'stat', '--format', '%u', '/proc/1']), '999');
		t.is(await docker(['exec', name, 'cat', '/proc/1/comm']), 'postgres');
		t.is(await docker(['exec', name, 'sh', '-c', 'command -v initdb']), `/usr/lib/postgresql/${major}/bin/initdb`);
	});
}

test('the TimescaleDB image creates its extension', async t => {
	const image = await ensureImage('holdfast-test/timescaledb:pg17');
	const name = container(t);
	await docker(['run', '--detach', '--name', name, '--label', 'holdfast-test', '--env', 'POSTGRES_PASSWORD=x', image]);
	const psql = ['exec', name, 'psql', '--host', '127.0.0.1', '--username', 'postgres', '--tuples-only', '--no-align', '--command'];
	await until('the server to answer', () => tryDocker([...psql, 'select 1']), patience);
	await docker([...psql, 'create extension timescaledb']);
	t.regex(await docker([...psql, "select extversion from pg_extension where extname = 'timescaledb'"]), /^2\./);
});

test('the application writes row n, then file n', async t => {
	const image = await ensureImage('holdfast-test/app:latest');
	const name = container(t);
	await docker(['run', '--detach', '--name', name, '--label', 'holdfast-test', image, 'write-sqlite', '/data/app.db', '/data/files']);
	await until('the tenth file', () => tryDocker(['exec', name, 'cat', '/data/files/10']), patience);
	// A busy container may escape the freezer of cgroup v1 once or twice.
	await until('the pause', async () => (await tryDocker(['pause', name])) !== undefined, patience);
	await docker(['unpause', name]);
	await docker(['stop', name]);
	t.is(await docker(['inspect', '--format', '{{.State.ExitCode}}', name]), '0');
});

test('the production image builds, and brings restic and Node along', async t => {
	t.timeout(20 * 60_000);
	const image = await buildHoldfast({tag: 'holdfast-test/holdfast:image-test'});
	t.teardown(() => docker(['image', 'rm', '--no-prune', image]));
	const bare = ['--rm', '--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--network', 'none'];
	const run = async (...command: string[]) => docker(['run', ...bare, '--entrypoint', '/usr/bin/tini', image, '--', ...command]);

	const versions = JSON.parse(await run('node', '--print', 'JSON.stringify(process.versions)')) as {node: string; sqlite: string};
	t.regex(versions.node, /^24\./);
	const [major = 0, minor = 0, patch = 0] = versions.sqlite.split('.').map(Number);
	t.true(major * 1_000_000 + minor * 1000 + patch >= 3_051_003, `SQLite ${versions.sqlite}`);

	const [, restic = ''] = /^restic 0\.(\d+)/.exec(await run('restic', 'version')) ?? [];
	t.true(Number(restic) >= 19, `restic 0.${restic}`);
	t.is(await run('sh', '-c', 'for name in holdfast tar chroot ssh npm; do command -v "$name"; done | wc -l'), '4');
	t.is(await run('stat', '--format', '%F %u', '/state', '/cache', '/repository'), 'directory 0\n'.repeat(3).trim());
	t.is(await run('sh', '-c', 'find /opt/holdfast -name "*.ts" -o -name node_modules | wc -l'), '0');
});

test('`docker compose` works', async t => {
	t.timeout(5 * 60_000);
	await ensureCompose();
	t.regex(await docker(['compose', 'version', '--short']), /^v?[2-9]/);
});

test('a second engine starts again on its data after SIGKILL, and leaves the first alone', async t => {
	t.timeout(20 * 60_000);
	if (!(await canStartSecondEngine())) {
		t.log('only root on Debian with a local engine can start a second one');
		t.pass();
		return;
	}

	const image = await ensureImage('debian:trixie-slim');
	const bridge = await docker(['network', 'inspect', 'bridge', '--format', '{{.Id}}']);
	const engine = await startSecondEngine();
	t.teardown(() => engine.remove());
	await engine.load([image]);
	const {host} = engine;
	await docker(['run', '--detach', '--init', '--name', 'always', '--restart', 'always', image, 'sleep', 'infinity'], {host});
	await engine.kill();
	t.is(await tryDocker(['version'], {host}), undefined);
	await engine.start();
	await until(
		'the container to run again',
		async () => (await docker(['inspect', '--format', '{{.State.Running}}', 'always'], {host})) === 'true',
	);
	t.is(await docker(['network', 'inspect', 'bridge', '--format', '{{.Id}}']), bridge);
	t.is(await tryDocker(['inspect', 'always']), undefined);
});
