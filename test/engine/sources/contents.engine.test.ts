/** What is in the restore points, proved with restic, PostgreSQL, SQLite, tar and hashes, without Holdfast. Lane: waits. Turns: moments. */

import {randomBytes} from 'node:crypto';
import {chmod, chown, link, mkdir, mkdtemp, rm, symlink, utimes, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import type {BackupResult} from '../../../base/results.ts';
import type {PointView} from '../../../base/shapes/points.ts';
import type {RunView} from '../../../base/shapes/runs.ts';
import type {StatusView, TargetView} from '../../../base/shapes/targets.ts';
import {ensureImage} from '../../support/images.ts';
import {plainReader, put, type Reader, readerService} from '../../support/stack/reader.ts';
import {treeOf} from '../../support/stack/tree.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const host = 'host-of-the-test';

/** A folder to be mounted, with what file names, links and modes can be. */
const makeOddFolder = async (t: ExecutionContext): Promise<string> => {
	const folder = await mkdtemp(join(tmpdir(), 'holdfast-odd-'));
	t.teardown(() => rm(folder, {recursive: true, force: true}));
	await mkdir(join(folder, 'sub folder', 'empty'), {recursive: true});
	await writeFile(join(folder, 'random'), randomBytes(2_000_000));
	await utimes(join(folder, 'random'), 1_000_000_000, 1_000_000_000);
	for (const name of [
		' spaces ',
		'-rf',
		'--help',
		'quo\'te"s',
		'new\nline',
		'$(touch pwned)',
		'; exit',
		'*',
		'[a-z]?',
		'back\\slash',
		'ünïcode',
	]) {
		await writeFile(join(folder, 'sub folder', name), name);
	}

	await writeFile(Buffer.from(`${folder}/not-utf8-\xff`, 'latin1'), 'bytes');
	await writeFile(join(folder, 'set-uid'), 'x');
	await chown(join(folder, 'set-uid'), 1234, 4321);
	await chmod(join(folder, 'set-uid'), 0o4751);
	await chmod(join(folder, 'sub folder'), 0o1770);
	await link(join(folder, 'random'), join(folder, 'hard link'));
	await symlink('/etc/passwd', join(folder, 'link out'));
	await symlink('random', join(folder, 'link in'));
	await symlink('missing', join(folder, 'dangling'));
	await mkdir(join(folder, 'cache'));
	await writeFile(join(folder, 'cache', 'left out'), 'x');
	await writeFile(join(folder, 'sub folder', 'left out.tmp'), 'x');
	return folder;
};

const postgres = (image: string, database: string, labels: Record<string, string>) => ({
	image,
	environment: {POSTGRES_PASSWORD: 'secret', POSTGRES_DB: database},
	labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'true', ...labels},
});

const fill = `
	create table orders (id bigserial primary key, item text not null, price numeric(10, 2));
	insert into orders (item, price) select md5(n::text), n from generate_series(1, 5000) n;
	create sequence tickets start 41;
	select nextval('tickets'), nextval('tickets');
	create table pictures (picture oid);
	insert into pictures select lo_from_bytea(0, decode(repeat('c0ffee', 1000), 'hex'));
	create view cheap as select * from orders where price < 10`;

/** One line that is the same only where everything is. */
const digest = `select (select count(*) || ' ' || md5(string_agg(o::text, ',' order by id)) from orders o), (select last_value from tickets),
	(select last_value from orders_id_seq), (select md5(lo_get(picture)) from pictures), (select count(*) from cheap)`;

const psql = async (stack: Stack, service: string, database: string, sql: string) =>
	stack.exec(service, 'psql', '-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres', '-d', database, '-c', sql);

const json = async <Value>(stack: Stack, ...args: string[]): Promise<Value> => {
	const {exitCode, stdout, stderr} = await stack.holdfast(...args, '--json');
	if (exitCode !== 0) {
		throw new Error(`holdfast ${args.join(' ')} exited with ${exitCode}: ${stderr}`);
	}

	return JSON.parse(stdout) as Value;
};

const keys = (value: object) => Object.keys(value).sort();

interface Scene {
	t: ExecutionContext;
	stack: Stack;
	reader: Reader;
}

test('restore points hold what four kinds of source held, as plain tools see it', async t => {
	t.timeout(15 * 60_000);
	const [app, postgres15, postgres17, odd] = await Promise.all([
		ensureImage('holdfast-test/app:latest'),
		ensureImage('postgres:15'),
		ensureImage('postgres:17'),
		makeOddFolder(t),
	]);
	const stack = await startStack(t, {
		slowKey: true,
		holdfast: {environment: {HOLDFAST_HOST: host}},
		services: {
			reader: readerService(),
			old: {...postgres(postgres15, 'shop', {'holdfast.volumes': 'true'}), volumes: ['old:/var/lib/postgresql/data']},
			new: postgres(postgres17, 'ledger', {'holdfast.postgres': 'ledger', 'holdfast.postgres.format': 'plain'}),
			app: {
				image: app,
				command: [
					'sh',
					'-c',
					'mkdir -p /etc/app/sub && echo settings >"/etc/app/sub/a file" && exec /app/run write-sqlite /data/app.db /data/files',
				],
				environment: {WRITE_WITHOUT_CHECKPOINT: '1', WRITE_INTERVAL_MS: '5'},
				volumes: ['data:/data', `${odd}:/odd`],
				labels: {
					'holdfast.enable': 'true',
					'holdfast.sqlite': '/data/app.db',
					'holdfast.volumes': 'true',
					'holdfast.tar': '/etc/app',
					'holdfast.exclude': 'cache,**/*.tmp',
				},
			},
			stopped: {
				image: app,
				command: ['sh', '-c', 'echo kept >/data/kept'],
				volumes: ['kept:/data'],
				labels: {'holdfast.enable': 'true'},
			},
			zero: {
				image: app,
				command: ['sh', '-c', ': >/data/empty.db && exec sleep infinity'],
				init: true,
				volumes: ['zero:/data'],
				labels: {'holdfast.enable': 'true', 'holdfast.sqlite': '/data/empty.db'},
			},
		},
		volumes: ['old', 'data', 'kept', 'zero'],
	});
	const scene = {t, stack, reader: plainReader(stack)};
	const target = (service: string) => `${stack.project}/${service}`;
	for (const [service, database] of [
		['old', 'shop'],
		['new', 'ledger'],
	] as const) {
		await until(`${service} is ready`, async () => psql(stack, service, database, 'select 1'), {timeout: 60_000});
		await psql(stack, service, database, fill);
	}

	await until('the stopped one is stopped', async () => (await stack.state('stopped')) === 'exited');
	await until('rows are written', async () => Number(await stack.exec('app', 'sqlite3', '/data/app.db', 'select total from counter')) > 20);

	const results = await stack.backup('--all');
	const result = (service: string) => find(results, service, target(service));
	t.deepEqual(
		results.map(({target, outcome}) => `${target.split('/')[1]} ${outcome}`).sort(),
		['app success', 'new success', 'old success', 'stopped success', 'zero failed'],
		JSON.stringify(results, undefined, 1),
	);
	await checkShapes(scene, results);
	await checkSnapshots(scene, results);
	await checkArchive(scene, result('old'));
	await checkPlainDump(scene, result('new'));
	await checkApp(scene, result('app'));

	t.regex(result('zero').error ?? '', /empty\.db.*is empty/);
	t.is(await stack.state('stopped'), 'exited');
	const kept = await scene.reader.snapshotOf(result('stopped').run, 'volume:/data');
	t.is((await scene.reader.dump(kept.id, `/${target('stopped')}/volume/data/kept`)).toString(), 'kept\n');

	await checkSecondRun(scene, target('app'), result('app'));
	await checkEmptyDump(scene, target('new'));
});

const find = (results: readonly BackupResult[], service: string, target: string): BackupResult => {
	const found = results.find(result => result.target === target);
	if (found === undefined) {
		throw new Error(`no result of ${service}`);
	}

	return found;
};

const checkShapes = async ({t, stack}: Scene, results: readonly BackupResult[]) => {
	for (const result of results.filter(({outcome}) => outcome === 'success')) {
		t.deepEqual(keys(result), ['durationSeconds', 'outcome', 'point', 'quiesceSeconds', 'run', 'sources', 'startedAt', 'target']);
		t.is(result.point, result.run);
		t.is(new Date(result.startedAt).toISOString(), result.startedAt);
		for (const source of result.sources) {
			t.deepEqual(keys(source), ['addedBytes', 'bytes', 'outcome', 'snapshot', 'source']);
			t.true(source.bytes > 0);
		}
	}

	const points = await json<PointView[]>(stack, 'points');
	t.deepEqual(points.map(({point}) => point).sort(), results.flatMap(({point}) => point ?? []).sort());
	t.deepEqual(
		points.map(({time}) => time),
		points
			.map(({time}) => time)
			.sort()
			.reverse(),
		'newest first',
	);
	for (const point of points) {
		t.deepEqual(keys(point), ['agent', 'host', 'own', 'point', 'sources', 'target', 'time', 'verifiedAt']);
		for (const {isDatabase, ...source} of point.sources) {
			t.deepEqual(keys(source), ['bytes', 'snapshot', 'source']);
			t.true(isDatabase === undefined || isDatabase, 'said of databases only');
		}

		const ofRun = find(results, point.point, point.target);
		t.deepEqual(
			point.sources.map(({source, snapshot}) => ({source, snapshot})).sort((a, b) => (a.source < b.source ? -1 : 1)),
			ofRun.sources.map(({source, snapshot}) => ({source, snapshot: snapshot ?? ''})).sort((a, b) => (a.source < b.source ? -1 : 1)),
		);
	}

	const runs = await json<RunView[]>(stack, 'runs');
	t.deepEqual(runs.map(({run}) => run).sort(), results.map(({run}) => run).sort());
	for (const run of runs) {
		t.deepEqual(keys(run), ['durationSeconds', 'operation', 'outcome', 'result', 'run', 'startedAt', 'state', 'target', 'trigger']);
		t.deepEqual([run.state, run.operation, run.trigger], ['finished', 'backup', 'cli']);
		t.deepEqual(run.result, find(results, run.run, run.target));
	}

	for (const status of await json<StatusView[]>(stack, 'status')) {
		t.deepEqual(keys(status), [
			'lastDrill',
			'lastDrillSuccess',
			'lastRun',
			'lastSuccess',
			'nextDrill',
			'nextRun',
			'problems',
			'running',
			'target',
		]);
		const {run, outcome} = find(results, status.target, status.target);
		t.is(status.running, null);
		t.is(status.lastRun?.run, run);
		t.is(status.lastRun?.outcome, outcome);
		t.is(status.lastSuccess?.run ?? null, outcome === 'success' ? run : null);
	}

	const targets = await json<TargetView[]>(stack, 'targets');
	t.is(targets.length, results.length);
	for (const view of targets) {
		t.deepEqual(keys(view), ['container', 'problems', 'quiesce', 'schedule', 'sources', 'state', 'target']);
		t.deepEqual(view.problems, []);
		t.deepEqual(
			view.sources.toSorted(),
			find(results, view.target, view.target)
				.sources.map(({source}) => source)
				.sort(),
		);
	}
};

/** A plain restic user finds everything by tag, path, host and time. */
const checkSnapshots = async ({t, reader}: Scene, results: readonly BackupResult[]) => {
	for (const {run, target, sources} of results.filter(({outcome}) => outcome === 'success')) {
		const ofRun = await reader.snapshots('holdfast', `run:${run}`);
		t.is(ofRun.length, sources.length + 1, 'one for each source, and the manifest');
		t.deepEqual([...new Set(ofRun.map(({time}) => time))].length, 1, 'all of one moment');
		t.deepEqual([...new Set(ofRun.map(({hostname}) => hostname))], [host]);
		for (const {source, snapshot} of sources) {
			const found = ofRun.find(({tags}) => tags.includes(`source:${source}`));
			t.is(found?.id, snapshot ?? undefined);
			const [agent, ...tags] = found?.tags.toSorted() ?? [];
			t.regex(agent ?? '', /^agent:[0-9a-f]{16}$/);
			t.deepEqual(tags, ['holdfast', `run:${run}`, `source:${source}`, `target:${target}`]);
			const [kind = '', name = ''] = source.split(':');
			t.deepEqual(found?.paths, [`/${target}/${kind}/${name.replace(/^\//, '')}`]);
		}
	}
};

/** The custom format of PostgreSQL 15, read by its own pg_restore; the data directory is in no snapshot. */
const checkArchive = async ({t, stack, reader}: Scene, {run, target, sources, quiesceSeconds}: BackupResult) => {
	t.deepEqual(sources.map(({source}) => source).sort(), ['postgres:postgres', 'postgres:shop']);
	t.is(quiesceSeconds, 0);
	const {id} = await reader.snapshotOf(run, 'postgres:shop');
	await put(stack, 'old', '/tmp/shop.dump', await reader.dump(id, `/${target}/postgres/shop`));
	await stack.exec('old', 'pg_restore', '-f', '/dev/null', '/tmp/shop.dump');
	await stack.exec('old', 'createdb', '-U', 'postgres', 'scratch');
	await stack.exec('old', 'pg_restore', '-U', 'postgres', '--exit-on-error', '-d', 'scratch', '/tmp/shop.dump');
	const restored = await psql(stack, 'old', 'scratch', digest);
	t.regex(restored, /^5000 [0-9a-f]{32}\|42\|5000\|[0-9a-f]{32}\|9$/);
	t.is(restored, await psql(stack, 'old', 'shop', digest));
};

/** The plain format of PostgreSQL 17: whole to its last line. */
const checkPlainDump = async ({t, stack, reader}: Scene, {run, target, sources}: BackupResult) => {
	t.deepEqual(
		sources.map(({source}) => source),
		['postgres:ledger'],
	);
	const {id} = await reader.snapshotOf(run, 'postgres:ledger');
	const dump = await reader.dump(id, `/${target}/postgres/ledger`);
	t.regex(dump.subarray(-300).toString(), /\n-- PostgreSQL database dump complete\n/);
	await put(stack, 'new', '/tmp/ledger.sql', dump);
	await stack.exec('new', 'createdb', '-U', 'postgres', 'scratch');
	await stack.exec(
		'new',
		'psql',
		'-X',
		'-q',
		'-v',
		'ON_ERROR_STOP=1',
		'-U',
		'postgres',
		'-d',
		'scratch',
		'-o',
		'/dev/null',
		'-f',
		'/tmp/ledger.sql',
	);
	t.is(await psql(stack, 'new', 'scratch', digest), await psql(stack, 'new', 'ledger', digest));
};

const checkApp = async ({t, stack, reader}: Scene, {run, target, sources, quiesceSeconds}: BackupResult) => {
	t.deepEqual(sources.map(({source}) => source).sort(), ['sqlite:/data/app.db', 'tar:/etc/app', 'volume:/data', 'volume:/odd']);
	t.true(quiesceSeconds > 0);

	const database = await reader.snapshotOf(run, 'sqlite:/data/app.db');
	await put(stack, 'app', '/tmp/copy.db', await reader.dump(database.id, `/${target}/sqlite/data/app.db`));
	t.is(await stack.exec('app', 'sqlite3', '/tmp/copy.db', 'pragma integrity_check'), 'ok');
	const [rows, last, total] = (
		await stack.exec(
			'app',
			'sqlite3',
			'-separator',
			' ',
			'/tmp/copy.db',
			'select count(*), max(n), (select total from counter) from entries',
		)
	)
		.split(' ')
		.map(Number);
	t.true(Number(rows) > 20);
	t.deepEqual([last, total], [rows, rows]);

	const data = await reader.snapshotOf(run, 'volume:/data');
	const names = await reader.list(data.id, `/${target}/volume/data`);
	t.deepEqual(
		names.filter(name => name.startsWith('app.db')),
		[],
		'the database is no file of the volume',
	);
	const newest = Math.max(...names.filter(name => name.startsWith('files/')).map(name => Number(name.slice('files/'.length))));
	t.true(newest === rows || newest === Number(rows) - 1, `row ${rows} and file ${newest} are of one moment`);

	const odd = await reader.snapshotOf(run, 'volume:/odd');
	const restored = await treeOf(stack, 'reader', await reader.restore(odd.id, `/${target}/volume/odd`));
	const live = (await treeOf(stack, 'app', '/odd')).filter(({name}) => !/^cache$|^cache\/|\.tmp$/.test(name));
	t.true(live.length >= 20);
	t.deepEqual(restored, live);

	const tar = await reader.snapshotOf(run, 'tar:/etc/app');
	const archive = await reader.dump(tar.id, `/${target}/tar/etc/app`);
	const {stdout} = await execa('tar', ['--list'], {input: archive});
	t.deepEqual(stdout.split('\n'), ['app/', 'app/sub/', 'app/sub/a file']);
	t.is((await execa('tar', ['--extract', '--to-stdout', 'app/sub/a file'], {input: archive})).stdout, 'settings');
};

const checkSecondRun = async ({t, stack, reader}: Scene, target: string, first: BackupResult) => {
	const [second] = await stack.backup(target);
	t.is(second?.outcome, 'success', second?.error);
	const odd = (result: BackupResult | undefined) => result?.sources.find(({source}) => source === 'volume:/odd');
	t.true((odd(first)?.addedBytes ?? 0) > 2_000_000);
	t.true((odd(second)?.addedBytes ?? Number.NaN) < 20_000, 'what did not change is not stored again');
	t.is(odd(second)?.bytes, odd(first)?.bytes);
	t.deepEqual(await reader.snapshots('holdfast-first-pass'), []);
};

/** A pg_dump that prints nothing and says that all went well. */
const checkEmptyDump = async ({t, stack}: Scene, target: string) => {
	const pretender = '#!/bin/sh\ncase $1 in --version) echo pretender;; esac\n';
	await stack.exec('new', 'sh', '-c', 'printf %s "$1" >/usr/local/sbin/pg_dump && chmod 755 /usr/local/sbin/pg_dump', 'sh', pretender);
	const before = await json<PointView[]>(stack, 'points', target);
	const {exitCode, stdout} = await stack.holdfast('backup', target, '--json');
	const result = JSON.parse(stdout) as BackupResult;
	t.is(exitCode, 1);
	t.deepEqual([result.outcome, result.point, result.sources[0]?.snapshot], ['failed', null, null]);
	t.regex(result.error ?? '', /does not begin with/);
	t.deepEqual(await json<PointView[]>(stack, 'points', target), before);
	await stack.exec('new', 'rm', '/usr/local/sbin/pg_dump');
	const [next] = await stack.backup(target);
	t.is(next?.outcome, 'success', next?.error);
};
