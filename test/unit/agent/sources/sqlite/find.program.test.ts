/** Databases are found by patterns and by what they begin with: the program that runs in the worker, run here. */
import {mkdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {find} from '../../../../../agent/sources/sqlite/find.program.ts';
import {readSqlite} from '../../../../../agent/sources/sqlite/labels.ts';
import {temporaryFolder} from '../../../../support/temporary-folder.ts';

const head = 'SQLite format 3\0';

function makeMount(t: ExecutionContext, files: Record<string, string>): string {
	const root = temporaryFolder(t);
	for (const [name, content] of Object.entries(files)) {
		mkdirSync(dirname(join(root, name)), {recursive: true});
		writeFileSync(join(root, name), content);
	}

	return root;
}

const foundIn = (root: string, patterns: readonly string[] | null, {nested = [] as string[], most = 100} = {}) => {
	const {found, isCut, unreadable} = find({mounts: [{root, path: '/data', nested}], patterns, most});
	return {
		paths: found
			.filter(({isDatabase}) => isDatabase)
			.map(({path}) => path)
			.sort(),
		others: found.filter(({isDatabase}) => !isDatabase).map(({path}) => path),
		isCut,
		unreadable,
	};
};

const tree = {
	'a.db': head,
	'b.sqlite3': head,
	'.hidden.db': head,
	'deep/er/c.db': head,
	'deep/[x].db': head,
	'deep/new\nline.db': head,
	'deep/-rf.db': head,
	'deep/*.db': head,
	'a.db-wal': head,
	'a.db-journal': head,
	'a.db-shm': head,
	'.a.db.holdfast-before-20260101t000000-abc': head,
	'secret.db': 'no such beginning',
	'empty.db': '',
	'picture.jpg': 'x'.repeat(100),
	'inner/other.db': head,
};

test('patterns', t => {
	const root = makeMount(t, tree);
	t.deepEqual(foundIn(root, ['/data/*.db']), {
		paths: ['/data/.hidden.db', '/data/a.db'],
		others: ['/data/secret.db'],
		isCut: false,
		unreadable: [],
	});
	t.deepEqual(foundIn(root, ['/data/deep/**/*.db']).paths, [
		'/data/deep/*.db',
		'/data/deep/-rf.db',
		'/data/deep/[x].db',
		'/data/deep/er/c.db',
		'/data/deep/new\nline.db',
	]);
	t.deepEqual(foundIn(root, ['/**/c.db']).paths, ['/data/deep/er/c.db']);
	t.deepEqual(foundIn(root, ['/data/**']).paths.length, 9);
	t.deepEqual(foundIn(root, ['/data/deep/\\*.db', '/data/?.db', '/data/[b-c].sqlite[!12]']).paths, [
		'/data/a.db',
		'/data/b.sqlite3',
		'/data/deep/*.db',
	]);
	t.deepEqual(foundIn(root, ['/data/deep/\\[x].db']).paths, ['/data/deep/[x].db']);
	t.deepEqual(foundIn(root, ['/other/*.db', '/data', '/data/*/']).paths, []);
});

test('a database that is mounted by itself is found, too', t => {
	const root = makeMount(t, {'a.db': head, text: 'x'});
	const alone = (name: string, path: string, patterns: readonly string[] | null) =>
		find({mounts: [{root: join(root, name), path, nested: []}], patterns, most: 10}).found;
	t.deepEqual(alone('a.db', '/app/a.db', null), [{path: '/app/a.db', isDatabase: true}]);
	t.deepEqual(alone('a.db', '/app/a.db', ['/app/*.db']), [{path: '/app/a.db', isDatabase: true}]);
	t.deepEqual(alone('a.db', '/app/a.db', ['/app/*.sqlite']), []);
	t.deepEqual(alone('text', '/app/text', null), []);
	t.deepEqual(alone('none', '/app/none', null), []);
});

test('all databases are those that begin as such, not those of another mount, and no more than so many', t => {
	const root = makeMount(t, tree);
	const {paths, others} = foundIn(root, null, {nested: ['/data/inner']});
	t.deepEqual(others, []);
	t.deepEqual(paths, [
		'/data/.hidden.db',
		'/data/a.db',
		'/data/b.sqlite3',
		'/data/deep/*.db',
		'/data/deep/-rf.db',
		'/data/deep/[x].db',
		'/data/deep/er/c.db',
		'/data/deep/new\nline.db',
	]);
	t.true(foundIn(root, null, {most: 3}).isCut);
	t.is(foundIn(root, null, {most: 3}).paths.length, 3);
});

test('no link is followed, and what cannot be named is told', t => {
	const outside = makeMount(t, {'x.db': head});
	const root = makeMount(t, {'a.db': head});
	symlinkSync(outside, join(root, 'folder'));
	symlinkSync(join(outside, 'x.db'), join(root, 'file.db'));
	writeFileSync(Buffer.from(`${root}/\xff.db`, 'latin1'), head);
	t.deepEqual(foundIn(root, null), {paths: ['/data/a.db'], others: [], isCut: false, unreadable: ['/data/\uFFFD.db']});
});

test('a pattern that could take for ever does not', t => {
	const root = makeMount(t, {['a'.repeat(250)]: head, [`${'d/'.repeat(40)}x.db`]: head});
	const begun = performance.now();
	t.deepEqual(foundIn(root, [`/data/${'*a'.repeat(60)}b`, `/data/${'**/'.repeat(60)}y.db`]).paths, []);
	t.true(performance.now() - begun < 10_000);
});

test('the label names paths, patterns, or all', t => {
	t.deepEqual(readSqlite('true'), {value: {paths: [], patterns: [], all: true}});
	t.deepEqual(readSqlite('/data//a.db, /data/*.db'), {value: {paths: ['/data/a.db'], patterns: ['/data/*.db'], all: false}});
	t.deepEqual(readSqlite('/data/\\[1\\]\\*.db'), {value: {paths: ['/data/[1]*.db'], patterns: [], all: false}});
	t.deepEqual(readSqlite('/data/back\\slash.db'), {value: {paths: ['/data/back\\slash.db'], patterns: [], all: false}});
	t.regex((readSqlite('/data/[a.db') as {rule: string}).rule, /whose `\[` are closed/);
	t.regex((readSqlite('false') as {rule: string}).rule, /absolute paths/);
	t.regex((readSqlite('/data/../*.db') as {rule: string}).rule, /without `\.\.`/);
});
