/** A project that nobody labelled: what would protect it is printed, and done where it is asked for. Lane: waits. Turns: surfaces. */
import test from 'ava';
import {parse} from 'yaml';
import {ensureImage} from '../../support/images.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

test('labels are proposed; with HOLDFAST_AUTO a server is dumped, files are kept, and what is new is found', async t => {
	t.timeout(6 * 60_000);
	const app = await ensureImage('holdfast-test/app:latest');
	const stack = await startStack(t, {
		volumes: ['pg', 'data', 'vault', 'scratch', 'late'],
		up: ['holdfast', 'db', 'app', 'vault', 'web', 'off'],
		holdfast: {environment: {HOLDFAST_AUTO: 'true'}},
		services: {
			db: {
				// Its name says nothing.
				image: await ensureImage('postgres:17'),
				environment: {POSTGRES_PASSWORD: 'secret', POSTGRES_DB: 'shop', POSTGRES_HOST_AUTH_METHOD: 'trust'},
				volumes: ['pg:/var/lib/postgresql/data'],
			},
			app: {image: app, entrypoint: ['sleep', 'infinity'], init: true, volumes: ['data:/data'], labels: {'holdfast.exclude': 'cache'}},
			vault: {
				image: app,
				entrypoint: ['sh', '-c', 'sqlite3 /data/db.sqlite3 "create table t (n)"; exec sleep infinity'],
				init: true,
				volumes: ['vault:/data'],
				depends_on: ['db'],
			},
			web: {image: app, entrypoint: ['sleep', 'infinity'], init: true, volumes: ['data:/srv'], depends_on: ['app']},
			off: {image: app, entrypoint: ['sleep', 'infinity'], init: true, volumes: ['scratch:/scratch'], labels: {'holdfast.enable': 'false'}},
			late: {image: app, entrypoint: ['sleep', 'infinity'], init: true, volumes: ['late:/late']},
		},
	});
	await until(
		'the database answers',
		async () => stack.exec('db', 'psql', '-h', '127.0.0.1', '-U', 'postgres', '-d', 'shop', '-Atc', 'select 1'),
		{
			timeout: 60_000,
		},
	);
	const names = async () =>
		(JSON.parse((await stack.holdfast('targets', '--json')).stdout) as Array<{target: string; sources: string[]; problems: unknown[]}>).map(
			({target, sources, problems}) => [target.slice(stack.project.length + 1), sources.join(), problems.length],
		);

	const {stdout} = await stack.holdfast('labels', stack.project);
	const proposed = (parse(stdout) as {services: Record<string, {labels: Record<string, string>}>}).services;
	t.deepEqual(Object.fromEntries(Object.entries(proposed).map(([service, {labels}]) => [service, labels])), {
		app: {'holdfast.enable': 'true'},
		db: {'holdfast.enable': 'true', 'holdfast.group': 'vault', 'holdfast.postgres': 'true'},
		vault: {'holdfast.enable': 'true', 'holdfast.group': 'vault', 'holdfast.sqlite': '/data/db.sqlite3', 'holdfast.volumes': 'true'},
	});
	t.regex(stdout, /# PostgreSQL, by its process `postgres`/);

	await until('the server to be seen', async () => JSON.stringify(await names()).includes('postgres:shop'), {timeout: 90_000});
	t.deepEqual(await names(), [
		['app', 'volume:/data', 0],
		['db', 'postgres:postgres,postgres:shop', 0],
		['vault', 'volume:/data', 0],
	]);
	t.regex(
		(await stack.holdfast('plan', `${stack.project}/db`)).stdout,
		/protected without a label \(HOLDFAST_AUTO\): PostgreSQL, by its process/,
	);
	for (const name of ['app', 'db']) {
		const [result] = await stack.backup(`${stack.project}/${name}`);
		t.is(result?.outcome, 'success', result?.error);
	}

	await stack.compose('up', '--detach', 'late');
	t.deepEqual(
		(await names()).map(([name]) => name),
		['app', 'db', 'late', 'vault'],
	);
	// Who is stopped does not lose its backups.
	await stack.docker(['stop', '--time', '1', stack.container('late')]);
	t.deepEqual(
		(await names()).map(([name]) => name),
		['app', 'db', 'late', 'vault'],
	);
	t.is((await stack.holdfast('labels', 'no-such-project')).exitCode, 2);
});
