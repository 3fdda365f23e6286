import test from 'ava';
import {createTally, describeContents, missingContents} from '../../../../../agent/sources/postgres/contents.ts';

const list = `;
; Archive created at 2026-11-21 03:00:00 UTC
;     dbname: app
218; 1259 16386 TABLE public entries postgres
219; 1259 16390 TABLE DATA odd name postgres
3061; 0 16386 TABLE DATA public entries postgres
12; 0 0 TABLE ATTACH public part postgres
217; 1259 16385 SEQUENCE public entries_n_seq postgres
3068; 0 0 SEQUENCE OWNED BY public entries_n_seq postgres
3070; 0 0 SEQUENCE SET public entries_n_seq postgres
220; 1259 16400 VIEW public newest postgres
221; 1259 16401 MATERIALIZED VIEW public sums postgres
3072; 0 16401 MATERIALIZED VIEW DATA public sums postgres
2906; 2606 16393 CONSTRAINT public entries entries_pkey postgres
2908; 1259 16394 INDEX public by_payload postgres
2909; 0 0 INDEX ATTACH public part_pkey postgres
2910; 2606 16395 FK CONSTRAINT public other other_fkey postgres
230; 1255 16396 FUNCTION public one() postgres
3071; 0 0 COMMENT - EXTENSION timescaledb
2; 3079 16384 EXTENSION - timescaledb`;

test('what a table of contents promises', t => {
	const tally = createTally();
	for (const line of list.split('\n')) {
		tally.add(line);
	}

	t.deepEqual(tally.contents(), {
		// One of them lies in a schema called `DATA`
		tables: 2,
		sequences: 1,
		views: 1,
		'materialized views': 1,
		indexes: 2,
		'foreign keys': 1,
		functions: 1,
	});
});

test('less than promised is missing, more is not', t => {
	t.deepEqual(missingContents({tables: 2, views: 1}, {tables: 1, views: 3}, 'the database had'), [
		'the database had 2 tables, and 1 were restored',
	]);
	t.deepEqual(missingContents({triggers: 1}, {}, 'the database had'), ['the database had 1 triggers, and 0 were restored']);
	t.deepEqual(missingContents({}, {tables: 1}, 'the database had'), []);
});

test('in words', t => {
	t.is(describeContents({tables: 2, views: 0, indexes: 3}), '2 tables, 3 indexes');
	t.is(describeContents({}), 'nothing in it');
});
