import test from 'ava';
import fc from 'fast-check';
import {parseSource, sourceOfTag, sourcePath, sourceTag} from '../../../../agent/repository/names.ts';

const database = fc.string({minLength: 1, unit: 'binary'}).filter(name => !name.includes('\0') && name.isWellFormed());

test('a tag holds any source, and gives it back', t => {
	t.is(sourceTag('postgres: spaces '), 'source:postgres: spaces%20');
	fc.assert(
		fc.property(database, name => {
			const tag = sourceTag(`postgres:${name}`);
			t.notRegex(tag, /[,\u0000-\u001F]/);
			t.is(tag, tag.trim());
			t.is(sourceOfTag(tag), `postgres:${name}`);
		}),
	);
});

test('a database is one element of its path, whatever its name', t => {
	fc.assert(
		fc.property(database, name => {
			const elements = sourcePath('app/db', `postgres:${name}`).split('/');
			t.deepEqual(elements.slice(0, 4), ['', 'app', 'db', 'postgres']);
			t.is(elements.length, 5);
			t.false(['', '.', '..'].includes(elements[4] ?? ''));
		}),
	);
});

test('two databases never share a path or a tag', t => {
	fc.assert(
		fc.property(database, database, (one, other) => {
			fc.pre(one !== other);
			t.not(sourcePath('t', `postgres:${one}`), sourcePath('t', `postgres:${other}`));
			t.not(sourceTag(`postgres:${one}`), sourceTag(`postgres:${other}`));
		}),
	);
});

for (const [source, path] of [
	['postgres:metadb', '/app/db/postgres/metadb'],
	['postgres:a/b', '/app/db/postgres/a%2Fb'],
	['postgres:..', '/app/db/postgres/%2E%2E'],
	['postgres:100%', '/app/db/postgres/100%25'],
	['volume:/data', '/app/db/volume/data'],
	['web/volume:/var/lib/x', '/app/db/web/volume/var/lib/x'],
	['sqlite:/data/a,b.db', '/app/db/sqlite/data/a,b.db'],
	['tar:/etc/app', '/app/db/tar/etc/app'],
] as const) {
	test(`${source} is at ${path}`, t => {
		t.is(sourcePath('app/db', source), path);
	});
}

test('the parts of a source', t => {
	t.deepEqual(parseSource('db/postgres:a/b:c'), {prefix: 'db/', kind: 'postgres', name: 'a/b:c'});
	t.deepEqual(parseSource('volume:/data'), {prefix: '', kind: 'volume', name: '/data'});
});
