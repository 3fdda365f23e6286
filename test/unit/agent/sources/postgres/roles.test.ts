import test from 'ava';
import {databaseName} from '../../../../../agent/sources/database-name.ts';
import {missingRoles, splitStatements} from '../../../../../agent/sources/postgres/roles.ts';

const globals = String.raw`--
-- PostgreSQL database cluster dump; it's "commented"
--
\restrict abc
SET default_transaction_read_only = off;
CREATE ROLE app;
ALTER ROLE app WITH NOSUPERUSER LOGIN PASSWORD 'it''s; --"x';
CREATE ROLE "odd ""name"";
x";
ALTER ROLE "odd ""name"";
x" WITH LOGIN;
ALTER ROLE app SET search_path TO E'a\\b\'; c';
ALTER ROLE app IN DATABASE shop SET work_mem TO '1MB';
CREATE ROLE postgres;
ALTER ROLE postgres WITH SUPERUSER PASSWORD 'evil';
GRANT app TO "odd ""name"";
x" WITH INHERIT TRUE GRANTED BY postgres;
GRANT app TO postgres;
CREATE TABLESPACE t OWNER app LOCATION '/x';
\unrestrict abc
`;

test('statements are split where SQL splits them', t => {
	t.is(splitStatements(globals).length, 12);
	t.deepEqual(splitStatements(`select ';' ; select ";" -- ;\n; select E'\\';';`), [`select ';'`, 'select ";"', `select E'\\';'`]);
	t.throws(() => splitStatements('create role a \\! touch /tmp/x\n;'), {message: /psql command/});
});

test('only the roles that are missing are made', t => {
	const statements = missingRoles(globals, new Set(['postgres']));
	t.is(statements.length, 6);
	t.false(statements.some(statement => /evil|DATABASE|TABLESPACE|TO postgres/.test(statement)));
	t.true(statements.includes('GRANT app TO "odd ""name"";\nx" WITH INHERIT TRUE'));
	t.deepEqual(missingRoles(globals, new Set(['postgres', 'app', 'odd "name";\nx'])), []);
	t.deepEqual(missingRoles(globals, new Set(['postgres', 'odd "name";\nx'])).length, 3);
});

test('a name that would be cut is cut where it can be told from others', t => {
	const run = '20261121t031502-x7k2q9d';
	t.is(databaseName('metadb', 'before', run), `metadb_before_${run}`);
	const names = ['a'.repeat(60), `${'a'.repeat(59)}b`, 'ü'.repeat(31)].map(name => databaseName(name, 'restore', run));
	t.is(new Set(names).size, 3);
	for (const name of names) {
		t.true(Buffer.byteLength(name) <= 63);
		t.true(name.endsWith(`_restore_${run}`));
		t.true(name.isWellFormed());
	}
});
