/** What is proposed for a container that no label speaks of. */
import {Duplex} from 'node:stream';
import test from 'ava';
import type {Means} from '../../../../../agent/sources/kind.ts';
import {askSqlite, type FoundFiles, proposeSqlite} from '../../../../../agent/sources/sqlite/find.ts';
import {sqlite} from '../../../../../agent/sources/sqlite/index.ts';
import type {SqlitePolicy} from '../../../../../agent/sources/sqlite/labels.ts';
import {parseLabels} from '../../../../../agent/targets/labels.ts';
import type {Container} from '../../../../../docker/container.ts';
import type {Workforce} from '../../../../../docker/worker.ts';

const container = {
	name: 'vaultwarden',
	mounts: [
		{type: 'bind', hostPath: '/srv/vw-data', path: '/data', readWrite: true},
		{type: 'bind', hostPath: '/etc/localtime', path: '/etc/localtime', readWrite: true},
		{type: 'bind', hostPath: '/srv/media', path: '/media', readWrite: false},
	],
} as unknown as Container;

function meansOf(answer: unknown, exitCode = 0) {
	const looked: unknown[] = [];
	let isDismissed = false;
	const workforce = {
		async repository(mounts: unknown[]) {
			looked.push(...mounts);
			return {
				run: async () => ({
					stdin: new Duplex({read() {}, write: (_chunk, _encoding, callback) => callback()}),
					stdout: Duplex.from([Buffer.from(JSON.stringify(answer))]),
					done: Promise.resolve({exitCode, stderr: 'no room'}),
				}),
			};
		},
		async dismiss() {
			isDismissed = true;
		},
	} as unknown as Workforce;
	const means = {hire: async () => workforce, dataRoot: '/var/lib/docker', agent: undefined} as unknown as Means;
	return {means, looked, isDismissed: () => isDismissed};
}

function propose(answer: unknown, exitCode?: number) {
	const {means, ...seen} = meansOf(answer, exitCode);
	return {proposal: proposeSqlite(container, means, AbortSignal.timeout(1000)), ...seen};
}

const database = (path: string) => ({path, isDatabase: true});

test('databases that are found are asked for, with the files beside them; it looks where a backup would', async t => {
	const {proposal, looked, isDismissed} = propose({
		found: [database('/data/db.sqlite3'), database('/data/b.db')],
		isCut: false,
		unreadable: [],
	});
	const {labels = {}, why} = (await proposal) ?? {};
	t.deepEqual(labels, {sqlite: '/data/db.sqlite3,/data/b.db', volumes: 'true'});
	t.is(why, 'SQLite, by what "/data/db.sqlite3" and 1 more begin with');
	t.is(looked.length, 1);
	t.true(isDismissed());
	const prefixed = Object.fromEntries(Object.entries({enable: 'true', ...labels}).map(([name, value]) => [`holdfast.${name}`, value]));
	t.deepEqual(parseLabels(prefixed, {subject: 'vaultwarden'}).problems, []);
});

test('many, or such as a list or a pattern would read otherwise, are all that there are', async t => {
	for (const paths of [['/data/a', '/data/b', '/data/c', '/data/d'], ['/data/a,b'], ['/data/[a]']]) {
		const {proposal} = propose({found: paths.map(database), isCut: false, unreadable: []});
		t.is((await proposal)?.labels.sqlite, 'true');
	}
});

test('none, or more than can be backed up, are files like others', async t => {
	t.is(await propose({found: [], isCut: false, unreadable: ['/data/closed']}).proposal, undefined);
	t.is(await propose({found: [database('/data/a')], isCut: true, unreadable: []}).proposal, undefined);
});

test('a look that fails is told, and leaves no worker', async t => {
	const {proposal, isDismissed} = propose({found: [], isCut: false, unreadable: []}, 1);
	await t.throwsAsync(proposal, {message: /cannot be looked for .*`vaultwarden`: no room/});
	t.true(isDismissed());
});

test('of a database that is named it is seen whether it is there: what a link leads to counts, and what cannot be seen is not taken for missing', async t => {
	const links: Record<string, string> = {'/data/link.db': '/data/a.db', '/data/hanging.db': '/data/gone.db'};
	const stat = async (_id: string, path: string) => {
		if (path.includes('gone') || path.includes('odd')) {
			throw Object.assign(new Error('refused'), {statusCode: path.includes('gone') ? 404 : 500});
		}

		return {isDirectory: path === '/data/folder', linkTarget: links[path] ?? ''};
	};
	const paths = ['/data/a.db', '/data/link.db', '/data/gone.db', '/data/hanging.db', '/data/folder', '/data/odd.db'];
	const found = await askSqlite({container: {...container, id: 'id'}, policy: {paths, patterns: [], all: false}}, {
		engine: {stat},
	} as unknown as Means);
	t.deepEqual(
		found?.amiss?.map(({path, why}) => `${path} ${why}`),
		['/data/gone.db does not exist', '/data/hanging.db does not exist', '/data/folder is a folder'],
	);
	t.deepEqual(found?.amiss?.map(({hint}) => hint).slice(1), [
		'correct the label `holdfast.sqlite`, or start the application, if it is what makes the file; what is there at times only is named by a pattern: `/data/*.db`',
		'name the databases in it: `/data/folder/*.db`, or with all below it `/data/folder/**/*.db`',
	]);
	t.is(askSqlite({container, policy: {paths: [], patterns: [], all: false}}, undefined as never), undefined);
});

test('that nothing is found of what is new is asked again soon: its application may just be making it', async t => {
	const isLasting = async (ageMs: number, found: readonly unknown[], policy: SqlitePolicy = {paths: [], patterns: [], all: true}) => {
		const answer = await askSqlite({container: {...container, id: 'id', createdAt: Date.now() - ageMs}, policy}, {
			...meansOf({found, isCut: false, unreadable: []}).means,
			engine: {stat: async () => ({linkTarget: ''})},
		} as unknown as Means);
		return sqlite.isLasting?.(answer as FoundFiles);
	};
	t.false(await isLasting(60_000, []));
	t.false(await isLasting(60_000, [], {paths: [], patterns: ['/data/*.db'], all: false}));
	t.true(await isLasting(60_000, [database('/data/a.db')]));
	t.true(await isLasting(3_600_000, []), 'a big folder is not searched all the time');
	t.true(await isLasting(60_000, [], {paths: ['/data/a.db'], patterns: [], all: false}), 'nothing was searched');
});
