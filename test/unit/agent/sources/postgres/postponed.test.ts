import test from 'ava';
import {doPostponed} from '../../../../../agent/sources/postgres/postponed.ts';
import type {PostgresServer} from '../../../../../agent/sources/postgres/server.ts';
import type {Postponed} from '../../../../../agent/sources/postgres/tolerated.ts';

const content = (name: string): Postponed => ({what: 'content', statement: `REFRESH MATERIALIZED VIEW ${name}`, why: 'ERROR:  no'});

const key: Postponed = {
	what: 'foreign key',
	statement: 'ALTER TABLE ONLY a ADD CONSTRAINT b FOREIGN KEY (c) REFERENCES d(e)',
	why: 'ERROR:  violates',
};

/** @param refuse why a statement fails, where it does */
async function doAll(postponed: readonly Postponed[], refuse: (sql: string, done: readonly string[]) => string | undefined) {
	const done: string[] = [];
	const told: string[] = [];
	const server = {
		async query(_: string, sql: string) {
			const why = refuse(sql, done);
			if (why !== undefined) {
				throw new Error(why);
			}

			done.push(sql);
			return [];
		},
	} as unknown as PostgresServer;
	await doPostponed(server, {
		database: 'fresh',
		postponed,
		searchPaths: ['app, public'],
		tolerate: what => told.push(what),
		signal: new AbortController().signal,
	});
	return {done: done.map(sql => sql.replace(/^.*; /, '')), told};
}

test('a view that needs another comes behind it, whatever their order', async t => {
	const {done, told} = await doAll([content('a'), content('b'), content('c')], (sql, done) =>
		(sql.endsWith('VIEW a') && !done.some(each => each.endsWith('VIEW b'))) ||
		(sql.endsWith('VIEW b') && !done.some(each => each.endsWith('VIEW c')))
			? 'has not been populated'
			: undefined,
	);
	t.deepEqual([done, told], [['c', 'b', 'a'].map(name => `REFRESH MATERIALIZED VIEW ${name}`), []]);
});

test('a view is computed with the path of its database where it needs one', async t => {
	const {done, told} = await doAll([content('a')], sql => (sql.includes("'app, public'") ? undefined : 'does not exist'));
	t.deepEqual([done.length, told], [1, []]);
});

test('a view that cannot be computed is told, with what to do; a key is made for new rows only', async t => {
	const {done, told} = await doAll([content('a'), content('b'), key], sql => (sql.endsWith('VIEW a') ? 'could not connect' : undefined));
	t.deepEqual(done, [`${key.statement} not valid`, 'REFRESH MATERIALIZED VIEW b']);
	t.regex(
		told.join('\n'),
		/a foreign key is made for new rows only .*violates\n.*has no content.*could not connect.*`REFRESH MATERIALIZED VIEW a`/,
	);
});

test('a key that cannot be made at all fails the restore', async t => {
	await t.throwsAsync(
		doAll([key], () => 'not supported'),
		{message: 'not supported'},
	);
});
