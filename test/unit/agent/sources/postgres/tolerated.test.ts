import test from 'ava';
import {createComplaints} from '../../../../../agent/sources/postgres/tolerated.ts';

const schema = [
	'pg_restore: error: could not execute query: ERROR:  schema "prom_data" already exists',
	'Command was: CREATE SCHEMA prom_data;',
	'',
];

const comment = [
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
	['a table', {promscale: '0.8'}, schema.map(line => line.replace('CREATE SCHEMA', 'CREATE TABLE'))],
	['an error that says nothing of its statement', {promscale: '0.8'}, schema.slice(0, 1)],
	['one that is followed by another', {promscale: '0.8'}, [schema[0] ?? '', ...schema]],
	['a statement with more behind it', {promscale: '0.8'}, schema.map(line => line.replace('prom_data;', 'prom_data; drop table t;'))],
	['a comment on something else', {}, comment.map(line => line.replace('COMMENT ON EXTENSION', 'COMMENT ON TABLE'))],
	['the end of the input', {}, ['pg_restore: error: could not read from input file: end of file']],
] as const) {
	test(`not tolerated: ${what}`, t => {
		const {complaints} = readAll(extensions, [...lines]);
		t.deepEqual([...complaints.tolerated()], []);
		t.false(complaints.explain(1));
		t.regex(complaints.failure(), /already exists|is odd|must be owner|end of file/);
	});
}

const failed = (why: string, ...lines: string[]) => [`pg_restore: error: could not execute query: ERROR:  ${why}`, ...lines, ''];

const foreignKey = failed(
	'insert or update on table "children" violates foreign key constraint "has_parent"',
	'DETAIL:  Key (parent)=(7) is not present in table "parents".',
	'Command was: ALTER TABLE ONLY public.children',
	'    ADD CONSTRAINT has_parent FOREIGN KEY (parent) REFERENCES public.parents(id) ON DELETE CASCADE;',
);

const content = failed(
	'could not connect to server "far"',
	'DETAIL:  could not translate host name',
	'HINT:  none',
	'CONTEXT:  SQL function',
	'QUERY:  select',
	'Command was: REFRESH MATERIALIZED VIEW public.known;',
);

test('what may be done once everything is loaded is postponed, and counts', t => {
	const {complaints, stoppedAt} = readAll({}, [...content, ...foreignKey, ...comment, ignored(3)]);
	t.is(stoppedAt, -1);
	t.deepEqual(complaints.postponed(), [
		{what: 'content', statement: 'REFRESH MATERIALIZED VIEW public.known', why: 'ERROR:  could not connect to server "far"'},
		{
			what: 'foreign key',
			statement:
				'ALTER TABLE ONLY public.children\n    ADD CONSTRAINT has_parent FOREIGN KEY (parent) REFERENCES public.parents(id) ON DELETE CASCADE',
			why: 'ERROR:  insert or update on table "children" violates foreign key constraint "has_parent"',
		},
	]);
	t.true(complaints.explain(1));
	t.false(complaints.explain(0));
});

for (const [what, lines] of [
	['a statement with another behind it', content.map(line => line.replace('known;', 'known; drop table t;'))],
	['another error of a foreign key', foreignKey.map(line => line.replace('violates foreign key constraint', 'has no'))],
	['another constraint', foreignKey.map(line => line.replace('FOREIGN KEY (parent)', 'UNIQUE (parent)'))],
	['one that does not end', [...foreignKey.slice(0, 3), ...Array.from({length: 60}, () => 'more')]],
	['one without its statement', content.slice(0, 5)],
] as const) {
	test(`not postponed: ${what}`, t => {
		const {complaints} = readAll({}, [...lines]);
		t.deepEqual([...complaints.postponed()], []);
		t.false(complaints.explain(1));
		t.regex(complaints.failure(), /could not connect|has no|violates/);
	});
}

test('an error that is not tolerated ends it as soon as its statement is known', t => {
	const lines = [
		'pg_restore: warning: something',
		'pg_restore: error: could not execute query: ERROR:  no',
		'Command was: CREATE TABLE t (',
		'a int,',
		'b int',
		'never read',
	];
	const {complaints, stoppedAt} = readAll({}, lines);
	t.is(stoppedAt, 4);
	t.is(complaints.failure(), 'could not execute query: ERROR:  no\nCommand was: CREATE TABLE t (\na int,\nb int');
});
