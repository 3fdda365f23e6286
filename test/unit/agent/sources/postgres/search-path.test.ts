import {execFileSync} from 'node:child_process';
import {Readable} from 'node:stream';
import test from 'ava';
import {isPathMissing, isRefusedStatement, keepingPath, keepPath, pathOf} from '../../../../../agent/sources/postgres/search-path.ts';

const emptied = "SELECT pg_catalog.set_config('search_path', '', false);";

test('the first statement that empties the path is edited, no byte more or less, and no other', t => {
	const header = Buffer.concat([Buffer.from(`PGDMP\0\n\xff${emptied}\n`, 'latin1'), Buffer.from(`data ${emptied}\n`)]);
	const edited = execFileSync('sed', [keepPath], {input: header, env: {LC_ALL: 'C', PATH: process.env.PATH}});
	t.is(edited.length, header.length);
	t.is(edited.toString('latin1'), `PGDMP\0\n\xffRESET search_path;${' '.repeat(emptied.length - 18)}\ndata ${emptied}\n`);
});

test('so it is in what flows through the agent, however it comes', async t => {
	const rest = Buffer.from(`data ${emptied}\n`.repeat(10_000));
	const whole = Buffer.concat([Buffer.from(`PGDMP\0\n\xff${emptied}\n`, 'latin1'), rest]);
	for (const size of [7, 1000, 70_000, whole.length]) {
		const pieces = Array.from({length: Math.ceil(whole.length / size)}, (_, index) => whole.subarray(index * size, (index + 1) * size));
		const edited = Buffer.concat(await Readable.from(pieces).pipe(keepingPath()).toArray());
		t.is(edited.length, whole.length);
		t.deepEqual(edited.subarray(-rest.length), rest);
		t.is(edited.subarray(0, -rest.length).toString('latin1'), `PGDMP\0\n\xffRESET search_path;${' '.repeat(emptied.length - 18)}\n`);
	}

	t.is(
		(
			await Readable.from([Buffer.from('short')])
				.pipe(keepingPath())
				.toArray()
		).join(''),
		'short',
	);
});

test('what is missing for want of a path, and what is not', t => {
	t.true(isPathMissing('pg_restore failed: could not execute query: ERROR:  function unaccent(unknown, text) does not exist'));
	t.true(isPathMissing('psql:<stdin>:12: ERROR:  relation "rates" does not exist'));
	t.true(isPathMissing('pg_restore: error: COPY failed for table "gyms": ERROR:  type "geography" does not exist'));
	t.true(isPathMissing('could not execute query: ERROR:  operator does not exist: public.citext = public.citext'));
	t.true(isPathMissing('could not execute query: ERROR:  no schema has been selected to create in'));
	t.false(isPathMissing('could not execute query: FEHLER:  Funktion f(text) existiert nicht'));
	t.true(isRefusedStatement('pg_restore of `shop` failed: could not execute query: FEHLER:  Funktion f(text) existiert nicht'));
	t.true(isRefusedStatement('COPY failed for table "gyms": FEHLER:  Typ »geography« existiert nicht'));
	t.true(isRefusedStatement('psql of `shop` failed: exit code 3: psql:<stdin>:12: FEHLER:  Relation existiert nicht'));
	t.false(isRefusedStatement('pg_restore: error: could not read from input file: end of file'));
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
});
