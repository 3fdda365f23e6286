/** Looking into points: what is shown and written is what was there, as hashes and plain tools see it. Lane: waits. Turns: surfaces. */
import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import type {Difference, Found, Listing} from '../../../base/shapes/browsing.ts';
import {ensureImage} from '../../support/images.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

test('what is in points is listed, found, compared and dumped as it was', async t => {
	t.timeout(10 * 60_000);
	const [app, postgres] = await Promise.all([ensureImage('holdfast-test/app:latest'), ensureImage('postgres:17')]);
	const folder = await mkdtemp(join(tmpdir(), 'holdfast-browse-'));
	t.teardown(async () => rm(folder, {recursive: true, force: true}));
	await mkdir(join(folder, 'up loads', '[2026]'), {recursive: true});
	await writeFile(join(folder, 'up loads', '[2026]', 'new\nline.csv'), 'first');
	await writeFile(join(folder, 'kept.csv'), 'kept');
	const idle = {image: app, command: ['sleep', 'infinity'], init: true, stop_grace_period: '1s'};
	const labels = {'holdfast.enable': 'true', 'holdfast.group': 'all'};
	const stack = await startStack(t, {
		volumes: ['mail', 'spool'],
		services: {
			web: {...idle, volumes: [`${folder}:/data`], labels},
			mail: {...idle, volumes: ['mail:/data', 'spool:/spool'], labels},
			db: {
				image: postgres,
				environment: {POSTGRES_PASSWORD: 'secret', POSTGRES_DB: 'shop'},
				healthcheck: {test: ['CMD', 'pg_isready', '-h', '127.0.0.1'], interval: '1s', retries: 60},
				labels: {...labels, 'holdfast.postgres': 'shop'},
			},
		},
	});
	const target = `${stack.project}/all`;
	const json = async <Value>(...args: string[]): Promise<Value> => {
		const {exitCode, stdout, stderr} = await stack.holdfast(...args, '--json');
		t.is(exitCode, 0, stderr);
		return JSON.parse(stdout) as Value;
	};
	const dumped = async (...args: string[]) =>
		Buffer.from(
			(
				await execa('docker', ['exec', stack.container('holdfast'), 'holdfast', 'dump', target, ...args], {
					encoding: 'buffer',
					stripFinalNewline: false,
				})
			).stdout,
		);
	const paths = ({entries}: Listing) => entries.map(({path}) => path);

	await stack.exec('mail', 'sh', '-c', 'echo of mail >/data/kept.csv; echo 1 >/spool/queue');
	// Not the first server of the image, which listens on the socket alone and is for its preparation.
	await until('the database', async () =>
		stack.exec('db', 'psql', '-h', '127.0.0.1', '-U', 'postgres', '-d', 'shop', '-c', 'create table orders as select 1 as n'),
	);
	const [first] = await stack.backup(target);
	await writeFile(join(folder, 'up loads', '[2026]', 'new\nline.csv'), 'second');
	await writeFile(join(folder, 'added'), 'x');
	await stack.exec('mail', 'rm', '/spool/queue');
	const [second] = await stack.backup(target);
	t.is(first?.outcome, 'success');
	t.is(second?.outcome, 'success');
	const [old, recent] = [first?.point ?? '', second?.point ?? ''];

	t.deepEqual((await json<Listing>('ls', target)).entries.map(({source}) => source).sort(), [
		'db/postgres:shop',
		'mail/volume:/data',
		'mail/volume:/spool',
		'web/volume:/data',
	]);
	t.deepEqual(paths(await json('ls', target, 'web/volume:/data')), ['/data/added', '/data/kept.csv', '/data/up loads']);
	t.deepEqual(paths(await json('ls', target, 'web/volume:/data', '--point', old)), ['/data/kept.csv', '/data/up loads']);
	t.deepEqual(paths(await json('ls', target, '/spool', '--point', old)), ['/spool/queue']);
	t.deepEqual(paths(await json('ls', target, '/spool')), []);
	const cut = await json<Listing>('ls', target, 'web/volume:/data', '-R', '--limit', '2');
	t.deepEqual([cut.entries.length, cut.more], [2, 3]);
	t.true((await stack.holdfast('ls', target, 'web/volume:/data', '-R')).stdout.includes('/data/up loads/[2026]/new\\nline.csv'));

	const csv = await json<Found>('find', '*.CSV', '-i', '--target', target);
	t.deepEqual(
		csv.found.map(({source, path, points, oldest, newest}) => [source, path, points, oldest.point, newest.point]),
		[
			['mail/volume:/data', '/data/kept.csv', 2, old, recent],
			['web/volume:/data', '/data/kept.csv', 2, old, recent],
			['web/volume:/data', '/data/up loads/[2026]/new\nline.csv', 1, recent, recent],
			['web/volume:/data', '/data/up loads/[2026]/new\nline.csv', 1, old, old],
		],
	);
	t.deepEqual((await json<Found>('find', '/data/*/\\[2026\\]/*')).found.length, 2);
	const nowhere = await stack.holdfast('find', 'all');
	t.is(nowhere.exitCode, 1, 'the name of a target is no file');

	const difference = await json<Difference>('diff', old, recent);
	const of = (source: string) => difference.sources.find(each => each.source === source);
	t.like(of('web/volume:/data'), {added: 1, removed: 0, changed: 1});
	t.deepEqual(of('mail/volume:/spool')?.entries, [{path: '/spool/queue', change: 'removed'}]);
	t.like(of('mail/volume:/data'), {added: 0, removed: 0, changed: 0});

	t.is((await dumped('web/volume:/data/up loads/[2026]/new\nline.csv', '--point', old)).toString(), 'first');
	t.is((await dumped('mail/volume:/data/kept.csv')).toString(), 'of mail\n');
	const ambiguous = await stack.holdfast('dump', target, '/data/kept.csv');
	t.is(ambiguous.exitCode, 2);
	t.regex(ambiguous.stderr, /`mail\/volume:\/data\/kept\.csv` or `web\/volume:\/data\/kept\.csv`/);
	const tar = await dumped('web/volume:/data/up loads');
	t.is((await execa('tar', ['-xO', '--no-wildcards', '[2026]'], {input: tar})).stdout, 'second');
	const database = await dumped('db/postgres:shop');
	t.is(database.subarray(0, 5).toString(), 'PGDMP');
	t.true((await execa('docker', ['exec', '-i', stack.container('db'), 'pg_restore', '-l'], {input: database})).stdout.includes('orders'));
	t.is((await stack.holdfast('dump', target, '/spool/queue')).exitCode, 2);
	const mistyped = await stack.holdfast('points', `${target}s`);
	t.is(mistyped.exitCode, 2);
	t.true(mistyped.stderr.includes(`there is no target \`${target}s\``), mistyped.stderr);
	await stack.holdfast('dump', target, 'db/postgres:shop', '-o', '/tmp/shop.dump');
	t.is((await stack.exec('holdfast', 'stat', '-c', '%s', '/tmp/shop.dump')).trim(), String(database.length));
});
