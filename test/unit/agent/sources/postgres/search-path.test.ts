import {execFileSync} from 'node:child_process';
import test from 'ava';
import {isPathMissing, keepPath, pathOf, pathOption} from '../../../../../agent/sources/postgres/search-path.ts';

const emptied = "SELECT pg_catalog.set_config('search_path', '', false);";

test('the first statement that empties the path is edited, no byte more or less, and no other', t => {
	const header = Buffer.concat([Buffer.from(`PGDMP\0\n\xff${emptied}\n`, 'latin1'), Buffer.from(`data ${emptied}\n`)]);
	const edited = execFileSync('sed', [keepPath], {input: header, env: {LC_ALL: 'C', PATH: process.env.PATH}});
	t.is(edited.length, header.length);
	t.is(edited.toString('latin1'), `PGDMP\0\n\xffRESET search_path;${' '.repeat(emptied.length - 18)}\ndata ${emptied}\n`);
});

test('what is missing for want of a path, and what is not', t => {
	t.true(isPathMissing('pg_restore failed: could not execute query: ERROR:  function unaccent(unknown, text) does not exist'));
	t.true(isPathMissing('psql:<stdin>:12: ERROR:  relation "rates" does not exist'));
	t.false(isPathMissing('ERROR:  role "shop" does not exist'));
	t.false(isPathMissing('ERROR:  permission denied for schema app'));
});

test('the path: of the database, of its roles, and public', t => {
	t.is(pathOf({settings: []}, ''), 'public');
	t.is(
		pathOf(
			{
				settings: [
					{role: null, name: 'search_path', value: 'app, "Odd, Name", public'},
					{role: null, name: 'work_mem', value: '1MB'},
				],
			},
			"CREATE ROLE shop;\nALTER ROLE shop SET search_path TO 'app', 'It''s';\nALTER ROLE shop SET work_mem TO '2MB';\n",
		),
		`app, "Odd, Name", public, "It's"`,
	);
	t.is(pathOption('app, "Odd Name"'), String.raw`-c search_path=app,\ "Odd\ Name"`);
});
