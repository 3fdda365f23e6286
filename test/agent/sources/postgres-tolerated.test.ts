import test from 'ava';
import {createComplaints} from '../../../agent/sources/postgres-tolerated.ts';

const schema = [
	'pg_restore: while PROCESSING TOC:',
	'pg_restore: from TOC entry 8; 2615 16390 SCHEMA prom_data postgres',
	'pg_restore: error: could not execute query: ERROR:  schema "prom_data" already exists',
	'Command was: CREATE SCHEMA prom_data;',
	'',
];

const comment = [
	'pg_restore: from TOC entry 3402; 0 0 COMMENT EXTENSION pgcrypto ',
	'pg_restore: error: could not execute query: ERROR:  must be owner of extension pgcrypto',
	"Command was: COMMENT ON EXTENSION pgcrypto IS 'cryptographic functions';",
];

const ignored = (count: number) => `pg_restore: warning: errors ignored on restore: ${count}`;

function readAll(extensions: Record<string, string>, lines: readonly string[]) {
	const complaints = createComplaints(extensions);
	return {complaints, stoppedAt: lines.findIndex(line => !complaints.read(line))};
}

test('what is on the list is counted, and explains an exit code of 1', t => {
	const {complaints, stoppedAt} = readAll({promscale: '0.8'}, [...schema, ...comment, ...comment, ignored(3)]);
	t.is(stoppedAt, -1);
	t.deepEqual([...complaints.tolerated().values()], [1, 2]);
	t.true(complaints.explain(1));
	t.false(complaints.explain(0));
	t.false(complaints.explain(137));
});

test('without errors only the exit code 0 is success', t => {
	const {complaints} = readAll({}, ['pg_restore: warning: something harmless']);
	t.true(complaints.explain(0));
	t.false(complaints.explain(1));
	t.is(complaints.failure(), 'pg_restore: warning: something harmless');
});

test('an exit code that says more errors than were tolerated is a failure', t => {
	t.false(readAll({promscale: '0.8'}, [...schema, ignored(2)]).complaints.explain(1));
	t.false(readAll({promscale: '0.8'}, schema).complaints.explain(1));
});

for (const [what, extensions, lines] of [
	['a schema of an extension that the point does not have', {}, schema],
	['another schema', {promscale: '0.8'}, schema.map(line => line.replaceAll('prom_data', 'shop'))],
	['another error about it', {promscale: '0.8'}, schema.map(line => line.replace('already exists', 'is odd'))],
	['a table', {promscale: '0.8'}, schema.map(line => line.replace('2615 16390 SCHEMA', '1259 16390 TABLE'))],
	[
		'an error after a tolerated entry, of no entry',
		{promscale: '0.8'},
		['pg_restore: while FINALIZING TOC:', comment[1] ?? '', 'x', 'y', 'z'],
	],
	['a comment on something else', {}, comment.map(line => line.replace('COMMENT EXTENSION', 'COMMENT TABLE'))],
	['the end of the input', {}, ['pg_restore: error: could not read from input file: end of file']],
] as const) {
	test(`not tolerated: ${what}`, t => {
		const {complaints} = readAll(extensions, [...lines]);
		t.deepEqual([...complaints.tolerated()], []);
		t.false(complaints.explain(1));
		t.regex(complaints.failure(), /already exists|is odd|must be owner|end of file/);
	});
}

test('an error that is not tolerated ends it as soon as its statement is known', t => {
	const lines = [
		'pg_restore: while PROCESSING TOC:',
		'pg_restore: from TOC entry 3; 1259 3 TABLE t postgres',
		'pg_restore: error: could not execute query: ERROR:  no',
		'Command was: CREATE TABLE t (',
		'a int',
		'never read',
	];
	const {complaints, stoppedAt} = readAll({}, lines);
	t.is(stoppedAt, 4);
	t.is(complaints.failure(), 'of 1259 3 TABLE t postgres\ncould not execute query: ERROR:  no\nCommand was: CREATE TABLE t (\na int');
});
