import test from 'ava';
import {archiveProblem, archiveVersionOf} from '../../../agent/sources/postgres-archive.ts';

const head = (major: number, minor: number) => Buffer.concat([Buffer.from('PGDMP'), Buffer.from([major, minor, 0, 4])]);

test('the version is in the first bytes', t => {
	t.deepEqual(archiveVersionOf(head(1, 16)), {major: 1, minor: 16});
	for (const other of [Buffer.from('-- a plain dump'), Buffer.from('PGDMP'), Buffer.alloc(0)]) {
		t.throws(() => archiveVersionOf(other), {message: /no dump in custom format/});
	}
});

test('an archive that is too new is refused, with both versions', t => {
	const tool = (version: string) => `pg_restore (PostgreSQL) ${version} (Debian ${version}-1)\n`;
	t.is(archiveProblem({major: 1, minor: 14}, tool('13.21')), undefined);
	t.is(archiveProblem({major: 1, minor: 15}, tool('16.9')), undefined);
	t.is(archiveProblem({major: 1, minor: 16}, tool('17.6')), undefined);
	t.is(
		archiveProblem({major: 1, minor: 16}, tool('15.14')),
		"the dump is an archive of version 1.16, and the container's pg_restore 15.14 reads those up to 1.14",
	);
	t.regex(archiveProblem({major: 1, minor: 15}, tool('13.21')) ?? '', /1\.15.*13\.21.*1\.14/);
	t.regex(archiveProblem({major: 2, minor: 0}, tool('18.1')) ?? '', /2\.0/);
});

test('of a version that is not known yet nothing is forbidden: pg_restore itself refuses, before anything is touched', t => {
	t.is(archiveProblem({major: 1, minor: 17}, 'pg_restore (PostgreSQL) 19.0'), undefined);
	t.is(archiveProblem({major: 1, minor: 17}, 'something else'), undefined);
});
