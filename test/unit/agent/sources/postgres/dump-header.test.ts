import test from 'ava';
import {readDumpHeader, versionNumber} from '../../../../../agent/sources/postgres/dump-header.ts';
import {dump} from '../../../../support/doubles/portable.ts';

for (const minor of [14, 15, 16]) {
	test(`the header of version 1.${minor} is read`, t => {
		t.deepEqual(readDumpHeader(dump({minor, database: 'ümlaut "db"'}).subarray(0, 16_384)), {
			version: {major: 1, minor},
			createdAt: new Date(2026, 10, 2, 3, 4, 5),
			database: 'ümlaut "db"',
			serverVersion: '15.4 (Debian 15.4-1)',
			toolVersion: '15.4',
		});
	});
}

test('what is no dump in custom format is said to be what it is', t => {
	t.throws(() => readDumpHeader(Buffer.from('--\n-- PostgreSQL database dump')), {
		message: /begins with PGDMP; this begins with "--\\n-- Po/,
	});
	t.throws(() => readDumpHeader(Buffer.alloc(0)), {message: /it is empty/});
	t.throws(() => readDumpHeader(dump({format: 3})), {message: /not one in custom format/});
	for (const length of [5, 8, 11, 40, 60, 70]) {
		t.throws(() => readDumpHeader(dump().subarray(0, length)), {message: /breaks off/}, String(length));
	}

	const nonsense = dump();
	nonsense.fill(0xff, 11, 60);
	t.throws(() => readDumpHeader(nonsense));
});

test('versions of servers are read as PostgreSQL counts them', t => {
	t.deepEqual(['17.2 (Debian 17.2-1)', '18beta1', '13', '9.6.24', 'none'].map(versionNumber), [
		170_002,
		180_000,
		130_000,
		90_624,
		undefined,
	]);
});
