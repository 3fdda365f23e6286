/** Secrets that would be recognised anywhere, looked for everywhere. Lane: waits. */
import {randomBytes} from 'node:crypto';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import type {BackupResult} from '../../../base/results.ts';
import {docker} from '../../support/docker.ts';
import {spy} from '../../support/doubles/spy.ts';
import {ensureImage} from '../../support/images.ts';
import {filesApp} from '../../support/stack/files-app.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const canary = (name: string) => `canary-${name}-${randomBytes(8).toString('hex')}`;

const canaries = {
	// What a URL, a shell and JSON would each write in another way.
	RESTIC_PASSWORD: `${canary('repository')} $@"'/%&`,
	AWS_SECRET_ACCESS_KEY: `${canary('aws')}/+=`,
	HOLDFAST_API_TOKEN: canary('token'),
	POSTGRES_PASSWORD: `${canary('postgres')}'"@`,
};
const restPassword = canary('rest');

/** As it is, and as URLs and JSON have it; the random part alone is enough to betray it. */
const secretsIn = (text: string): string[] =>
	[...Object.values(canaries), restPassword]
		.flatMap(secret => /canary-\w+-[0-9a-f]{16}/.exec(secret) ?? [])
		.filter(core => text.includes(core));

const assertNone = (t: ExecutionContext, what: string, text: string) => {
	t.true(text.length > 0, `${what} is empty, so nothing was proved`);
	t.deepEqual(secretsIn(text), [], what);
};

/** The folder with a file for each secret; what it may hold beside. */
const makeSecrets = async (t: ExecutionContext): Promise<string> => {
	const folder = await mkdtemp(join(tmpdir(), 'holdfast-secrets-'));
	t.teardown(() => rm(folder, {recursive: true, force: true}));
	for (const [name, secret] of Object.entries(canaries)) {
		await writeFile(join(folder, name), `${secret}\n`);
	}

	await writeFile(join(folder, 'RESTIC_REPOSITORY'), `rest:http://user:${restPassword}@127.0.0.1:1/`);
	return folder;
};

/** Asks with the token of the secret file, and prints the answer to the end. */
const ask = async ({container}: Stack, path: string): Promise<string> => {
	const client = `const token = require('node:fs').readFileSync('/run/secrets/HOLDFAST_API_TOKEN', 'utf8').trim();
		fetch('http://127.0.0.1:9797' + process.argv[1], {headers: {authorization: 'Bearer ' + token}})
			.then(async answer => process.stdout.write(answer.status + ' ' + await answer.text()))`;
	return (await execa('docker', ['exec', container('holdfast'), 'node', '-e', client, path])).stdout;
};

const everythingSaid = async (stack: Stack): Promise<Array<[string, string]>> => {
	const said: Array<[string, string]> = [];
	for (const command of ['targets', 'plan', 'status', 'points', 'runs', 'doctor', 'healthcheck']) {
		const {stdout, stderr} = await stack.holdfast(command, '--json');
		said.push([command, stdout + stderr]);
	}

	for (const path of ['/metrics', '/healthz', '/api/v1/runs', '/api/v1/status']) {
		said.push([path, await ask(stack, path)]);
	}

	const log = await execa('docker', ['logs', stack.container('holdfast')], {all: true});
	return [...said, ['log', log.all], ['inspect', await docker(['inspect', stack.container('holdfast')])]];
};

const psql = async (stack: Stack, sql: string) =>
	stack.exec('db', 'sh', '-c', 'PGPASSWORD=$POSTGRES_PASSWORD exec psql -X -A -t -q -U postgres -c "$1"', 'sh', sql);

test('no secret is in a log, a command line, an event, an error, a metric, or the configuration of a container', async t => {
	t.timeout(15 * 60_000);
	const [app, postgres, secrets] = await Promise.all([ensureImage('holdfast-test/app:latest'), ensureImage('postgres:17'), makeSecrets(t)]);
	const files = (...names: string[]) => Object.fromEntries(names.map(name => [`${name}_FILE`, `/run/secrets/${name}`]));
	const environment = {
		HOLDFAST_LOG_LEVEL: 'debug',
		AWS_ACCESS_KEY_ID: 'not-secret',
		...files('RESTIC_PASSWORD', 'AWS_SECRET_ACCESS_KEY', 'HOLDFAST_API_TOKEN'),
	};
	const volumes = ['/var/run/docker.sock:/var/run/docker.sock', 'hf-repository:/repository', 'hf-state:/state', 'hf-cache:/cache'];
	const stack = await startStack(t, {
		slowKey: true,
		holdfast: {environment, volumes: [...volumes, `${secrets}:/run/secrets:ro`]},
		services: {
			db: {
				image: postgres,
				environment: {
					POSTGRES_PASSWORD: canaries.POSTGRES_PASSWORD.replaceAll('$', () => '$$'),
					POSTGRES_INITDB_ARGS: '--auth-local=scram-sha-256 --auth-host=scram-sha-256',
				},
				labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'true'},
			},
			app: filesApp(app),
		},
		volumes: ['data'],
	});
	t.deepEqual(secretsIn(JSON.stringify(canaries)).length, 4, 'what is looked for would be found');
	await until('the database is ready', async () => psql(stack, 'select 1'), {timeout: 60_000});
	await psql(stack, 'create table filled as select md5(n::text) from generate_series(1, 100000) n');
	await t.throwsAsync(stack.exec('db', 'psql', '--no-password', '-U', 'postgres', '-c', 'select 1'), {message: /no password supplied/});

	const stop = spy();
	const {stdout, stderr} = await stack.holdfast('backup', '--all', '--json');
	const {commands, workers, events} = await stop();
	assertNone(t, 'backup', stdout + stderr);
	const results = stdout
		.split('\n')
		.filter(Boolean)
		.map(line => JSON.parse(line) as BackupResult);
	t.deepEqual(
		results.map(({outcome, error}) => ({outcome, error})),
		[
			{outcome: 'success', error: undefined},
			{outcome: 'success', error: undefined},
		],
	);

	for (const program of ['restic backup', 'restic snapshots', 'pg_dump', 'psql', 'session.program']) {
		t.true(
			commands.some(command => command.includes(program)),
			`${program} was seen`,
		);
	}

	assertNone(t, 'argv', commands.join('\n'));
	assertNone(t, "the engine's events", events);
	for (const {run, target} of results) {
		const own = [...workers].filter(([name]) => name.includes(run));
		t.is(own.length, target.endsWith('/db') ? 2 : 1, 'each worker was looked at while it lived');
		for (const [name, details] of own) {
			assertNone(t, name, details);
		}

		const told = await ask(stack, `/api/v1/runs/${run}/events`);
		t.regex(told, /"type":"finished"/);
		assertNone(t, 'events', told);
	}

	for (const [what, text] of await everythingSaid(stack)) {
		assertNone(t, what, text);
	}

	await checkErrors(t, stack, {...environment, ...files('RESTIC_REPOSITORY')});
});

/** What goes wrong tends to say more. */
const checkErrors = async (t: ExecutionContext, stack: Stack, environment: Record<string, string>) => {
	await psql(stack, "alter role postgres password 'another'");
	const refused = await stack.holdfast('backup', `${stack.project}/db`, '--json');
	t.regex(refused.stdout + refused.stderr, /password authentication failed/);
	assertNone(t, 'a wrong password of the database', refused.stdout + refused.stderr);

	const log = await docker(['logs', stack.container('holdfast')]);
	assertNone(t, 'log', log);
	await stack.change({environment});
	await until('the agent answers', async () => ask(stack, '/api/v1/runs'), {timeout: 120_000});
	// Each waits for a minute until restic is believed
	const [health, {exitCode, stdout, stderr}] = await Promise.all([
		until('the agent tells of its repository', async () => /127\.0\.0\.1:1/.exec(await ask(stack, '/healthz'))?.input, {
			timeout: 180_000,
			interval: 500,
		}),
		stack.holdfast('backup', `${stack.project}/app`, '--json'),
	]);
	assertNone(t, 'health', health);
	t.is(exitCode, 1);
	t.regex(stdout, /rest:http:\/\/127\.0\.0\.1:1\//);
	assertNone(t, 'a repository that is away', stdout + stderr);
	const {all} = await execa('docker', ['logs', stack.container('holdfast')], {all: true});
	t.regex(all, /rest:http:\/\/127\.0\.0\.1:1\//);
	assertNone(t, 'log', all);
};
