/** A database and an application with one source of each kind, and their drills. */
import type {ExecutionContext} from 'ava';
import {execa} from 'execa';
import type {DrillResult} from '../../../base/results.ts';
import {docker} from '../docker.ts';
import {ensureImage} from '../images.ts';
import {type Stack, startStack} from '../stack.ts';
import {until} from '../until.ts';

const content = `
	create role keeper; create table entries (n bigserial primary key, payload text not null);
	insert into entries (payload) select md5(i::text) from generate_series(1, 20000) i;
	create table lost (n int primary key); insert into lost values (1); alter table lost owner to keeper;
	create view newest as select * from entries order by n desc limit 1; create index on entries (payload);
	create function one() returns int language sql as 'select 1'; select lo_from_bytea(4711, 'abc'::bytea)`;

/** As Compose reads it: `$$` is a `$`. */
const fill = `mkdir -p /data/deep/er /data/empty; for i in $$(seq 60); do head -c 40000 /dev/urandom >"/data/deep/file $$i"; done
	ln -s ../gone /data/deep/link; ln /data/deep/file\\ 1 /data/hard; mkdir /etc/app; echo key >/etc/app/config; exec /app/run write-sqlite /data/app.db`;

export interface Scene {
	stack: Stack;
	db: string;
	app: string;
	drill: (target: string, ...options: string[]) => Promise<{result: DrillResult; exitCode: number}>;
	psql: (sql: string) => Promise<string>;
	/** Seconds since 1970; undefined while there is no such series. */
	lastSuccess: (target: string) => Promise<number | undefined>;
}

async function sceneOf(stack: Stack): Promise<Scene> {
	const psql = async (sql: string) =>
		stack.exec('db', 'psql', '-h', '127.0.0.1', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres', '-d', 'app', '-c', sql);
	await until('the database answers', () => psql('select 1'), {timeout: 90_000});
	await until('the application writes', () => stack.exec('app', 'ls', '/data/app.db-wal'), {timeout: 60_000});
	return {
		stack,
		db: `${stack.project}/db`,
		app: `${stack.project}/app`,
		psql,
		async drill(...args) {
			const {stdout, stderr, exitCode} = await stack.holdfast('drill', ...args, '--json');
			try {
				return {result: JSON.parse(stdout) as DrillResult, exitCode};
			} catch {
				throw new Error(`\`holdfast drill\` printed no result: ${stdout}${stderr}`);
			}
		},
		async lastSuccess(target) {
			const text = await stack.exec(
				'holdfast',
				'node',
				'-e',
				"fetch('http://127.0.0.1:9797/metrics').then(async answer => console.log(await answer.text()))",
			);
			const value = text.split('\n').find(line => line.startsWith(`holdfast_drill_last_success_timestamp_seconds{target="${target}"}`));
			return value === undefined ? undefined : Number(value.split(' ').at(-1));
		},
	};
}

/** Containers and volumes of a run, a line each. */
export async function leftOf(run: string): Promise<string[]> {
	const filter = ['--filter', `label=holdfast.worker=${run}`];
	const found = await Promise.all([
		docker(['ps', '--all', '--format', '{{.Names}}', ...filter]),
		docker(['volume', 'ls', '--format', '{{.Name}}', ...filter]),
	]);
	return found.flatMap(text => text.split('\n')).filter(Boolean);
}

/** Both are backed up. */
export async function startDrilled(t: ExecutionContext): Promise<Scene> {
	const stack = await startStack(t, {
		volumes: ['data'],
		services: {
			db: {
				image: await ensureImage('postgres:17'),
				environment: {POSTGRES_PASSWORD: 'secret', POSTGRES_DB: 'app'},
				labels: {
					'holdfast.enable': 'true',
					'holdfast.postgres': 'app,postgres',
					'holdfast.drill.sql':
						"select count(*) > 10000 and pg_get_userbyid((select relowner from pg_class where relname = 'lost')) = 'keeper' from entries",
				},
			},
			app: {
				image: await ensureImage('holdfast-test/app:latest'),
				command: ['sh', '-c', fill],
				volumes: ['data:/data'],
				labels: {'holdfast.enable': 'true', 'holdfast.sqlite': '/data/app.db', 'holdfast.volumes': 'true', 'holdfast.tar': '/etc/app'},
			},
		},
	});
	const scene = await sceneOf(stack);
	await scene.psql(content);
	for (const result of await stack.backup('--all')) {
		t.is(result.outcome, 'success', result.error);
	}
	return scene;
}

/** What is whole passes, also while it is stopped, and nothing is touched. @returns when the last drill of the database succeeded */
export async function drillStopped(t: ExecutionContext, {stack, db, app, drill, psql, lastSuccess}: Scene): Promise<number | undefined> {
	t.is(await lastSuccess(db), undefined);
	await stack.compose('stop', '--timeout', '1', 'db', 'app');
	const before = await docker([
		'inspect',
		'--format',
		'{{.State}} {{.Mounts}} {{json .NetworkSettings}}',
		stack.container('db'),
		stack.container('app'),
	]);

	for (const [target, sources] of [
		[db, ['postgres:app', 'postgres:postgres']],
		[app, ['sqlite:/data/app.db', 'volume:/data', 'tar:/etc/app']],
	] as const) {
		const {result, exitCode} = await drill(target);
		t.is(result.outcome, 'success', result.error);
		t.is(exitCode, 0);
		t.deepEqual(
			result.sources.map(({source}) => source),
			[...sources],
		);
		t.log(JSON.stringify(result.sources.map(({source, checks, durationSeconds}) => ({source, checks, durationSeconds}))));
		t.deepEqual(await leftOf(result.run), []);
		const [point] = JSON.parse((await stack.holdfast('points', target, '--json')).stdout) as Array<{point: string; verifiedAt: string}>;
		t.is(point?.point, result.point);
		const at = Date.parse(point?.verifiedAt ?? '') / 1000;
		t.true(Math.abs(at - Date.now() / 1000) < 60);
		await until('the metric', async () => (await lastSuccess(target)) === at, {timeout: 20_000});
	}

	t.is(
		await docker([
			'inspect',
			'--format',
			'{{.State}} {{.Mounts}} {{json .NetworkSettings}}',
			stack.container('db'),
			stack.container('app'),
		]),
		before,
	);
	const status = JSON.parse((await stack.holdfast('status', '--json')).stdout) as Array<{target: string; lastDrill: DrillResult}>;
	t.true(status.every(({lastDrill}) => lastDrill.outcome === 'success'));
	await stack.compose('start', 'db');
	await until('the database answers', () => psql('select 1'), {timeout: 60_000});
	return lastSuccess(db);
}

/** Nothing of a drill is left, and nothing of its server reaches the project. */
export async function drillKilled(t: ExecutionContext, {stack, db, lastSuccess}: Scene, proven: number | undefined): Promise<void> {
	const [again] = await stack.backup(db);
	t.is(again?.outcome, 'success', again?.error);
	const answer = await stack.api('POST', '/api/v1/drill', {target: db});
	t.is(answer.status, 202);
	const [{run = ''} = {}] = (answer.body as {runs: Array<{run?: string}>}).runs;
	const isLoading = async () => (await docker(['top', `holdfast-scratch-${run}-1`])).includes('postgres:');
	await until('a scratch server', isLoading, {timeout: 60_000, interval: 50});
	const {HostConfig: host, Mounts: mounts} = JSON.parse(await docker(['inspect', '--format', '{{json .}}', `holdfast-scratch-${run}-1`]));
	t.is(host.NetworkMode, 'none');
	t.deepEqual([host.CapDrop, host.Memory > 0, host.PidsLimit > 0], [['ALL'], true, true]);
	t.false(JSON.stringify(mounts).includes(stack.project));
	await docker(['kill', '--signal', 'KILL', stack.container('holdfast')]);
	const left = await leftOf(run);
	t.true(left.includes(`holdfast-scratch-${run}-1`), left.join());
	await docker(['start', stack.container('holdfast')]);
	await until('nothing is left', async () => (await leftOf(run)).length === 0, {timeout: 60_000});
	await stack.ready();
	const {stdout} = await stack.holdfast('runs', run, '--json');
	t.like(JSON.parse(stdout), {state: 'finished', outcome: 'failed', operation: 'drill'});
	await until('the metric, from the state', async () => (await lastSuccess(db)) === proven, {timeout: 20_000});
}

/** What somebody's script could have made: a point whose dump of `app` was made without one of its tables. */
export async function leaveOut(stack: Stack, point: string, target: string, table: string): Promise<void> {
	const script = `set -e
		export RESTIC_PASSWORD_FILE=/state/repository-password RESTIC_REPOSITORY=/repository RESTIC_CACHE_DIR=/tmp/plain-restic TZ=UTC
		restic snapshots --json --tag "run:$1" >/tmp/all.json
		node -e '
			const {execFileSync} = require("node:child_process");
			const {readFileSync} = require("node:fs");
			const [, target] = process.argv.slice(1);
			const all = JSON.parse(readFileSync("/tmp/all.json"));
			const store = (old, path, input) => {
				const time = old.time.slice(0, 19).replace("T", " ");
				const tags = old.tags.flatMap(tag => ["--tag", tag]);
				const said = execFileSync("restic", ["backup", "--json", "--stdin", "--stdin-filename", path, "--host", old.hostname, "--time", time, ...tags], {input, maxBuffer: 1e9});
				return said.toString().trim().split("\\n").map(line => JSON.parse(line)).find(({message_type: type}) => type === "summary").snapshot_id;
			};
			const dump = all.find(({tags}) => tags.includes("source:postgres:app"));
			const manifest = all.find(({tags}) => tags.some(tag => tag.startsWith("manifest:")));
			const id = store(dump, dump.paths[0], readFileSync(0));
			const text = execFileSync("restic", ["dump", manifest.id, "/" + target + "/manifest.json"]).toString();
			store(manifest, "/" + target + "/manifest.json", text.replaceAll(dump.id, id));
			execFileSync("restic", ["forget", dump.id, manifest.id]);
		' "$@"`;
	const argv = ['pg_dump', '-U', 'postgres', '-Fc', '-Z0', `--exclude-table=${table}`, 'app'];
	const {stdout: dumped} = await execa('docker', ['exec', stack.container('db'), ...argv], {encoding: 'buffer', maxBuffer: 64_000_000});
	await execa('docker', ['exec', '--interactive', stack.container('holdfast'), 'sh', '-c', script, 'sh', point, target], {input: dumped});
}

/** In the middle of every pack that holds data, as a bad disk does. */
export async function flipBytes(stack: Stack): Promise<void> {
	const script = `find /repository/data -type f -size +100k | while read -r pack; do
		chmod u+w "$pack"; printf 'XXXXXXXX' | dd of="$pack" bs=1 seek=50000 conv=notrunc 2>/dev/null; done`;
	await stack.exec('holdfast', 'sh', '-c', script);
}
