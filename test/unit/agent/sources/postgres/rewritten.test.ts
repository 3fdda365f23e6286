/** A dump of which tables lost their rows to its snapshot before it had locked them is none. */
import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import {isOvertaken, unlessRewritten} from '../../../../../agent/sources/postgres/rewritten.ts';
import {RunError} from '../../../../../base/errors.ts';
import {until} from '../../../../support/until.ts';

/** A session, in which the dump has its locks after so many looks. */
function sessionOf({lockedAfter, rewritten}: {lockedAfter: number; rewritten: readonly string[][]}) {
	const answers = [...rewritten];
	let looks = 0;
	return {
		looks: () => looks,
		asked: () => rewritten.length - answers.length,
		async ask(sql: string) {
			if (!sql.includes('pg_relation_filenode')) {
				return looks++ >= lockedAfter ? 't' : 'f';
			}

			return JSON.stringify(answers.shift());
		},
	};
}

const never = new AbortController().signal;

test('what was emptied before the dump had its locks ends it at once; what is emptied afterwards is no harm', async t => {
	const emptied = sessionOf({lockedAfter: 1, rewritten: [['public.orders', '"A b"."c"']]});
	let isEnded = false;
	const dump = unlessRewritten(
		async signal => {
			await delay(60_000, undefined, {signal}).catch(error => {
				isEnded = true;
				throw error;
			});
		},
		{ask: emptied.ask, application: 'holdfast x 0'},
	);
	const error = await t.throwsAsync(dump(never), {message: /emptied or rewrote .* `public\.orders`, `"A b"\."c"`$/});
	t.true(isEnded);
	t.true(isOvertaken(error));

	const after = sessionOf({lockedAfter: 0, rewritten: [[], ['public.orders']]});
	const dumping = async () => {
		await until('it was looked', () => after.asked() === 1);
	};
	await unlessRewritten(dumping, {ask: after.ask, application: 'x'})(never);
	t.is(after.asked(), 1);
});

test('a dump that is over before its locks were seen is asked about at its end', async t => {
	const whole = sessionOf({lockedAfter: Number.POSITIVE_INFINITY, rewritten: [[]]});
	await t.notThrowsAsync(unlessRewritten(async () => {}, {ask: whole.ask, application: 'x'})(never));
	t.is(whole.asked(), 1);
	const emptied = sessionOf({lockedAfter: Number.POSITIVE_INFINITY, rewritten: [['public.orders']]});
	await t.throwsAsync(unlessRewritten(async () => {}, {ask: emptied.ask, application: 'x'})(never), {message: /`public\.orders`/});
});

test('why the dump itself failed is what is said; and whoever cannot be asked is no proof', async t => {
	const {ask} = sessionOf({lockedAfter: Number.POSITIVE_INFINITY, rewritten: []});
	const failing = async () => {
		throw new RunError('pg_dump of `shop` failed');
	};
	await t.throwsAsync(unlessRewritten(failing, {ask, application: 'x'})(never), {message: 'pg_dump of `shop` failed'});
	const gone = async (): Promise<string> => {
		throw new RunError('`psql` ended');
	};
	await t.throwsAsync(unlessRewritten(async () => {}, {ask: gone, application: 'x'})(never), {message: '`psql` ended'});
});

test('what a later snapshot would not meet', t => {
	for (const said of [
		'pg_dump: error: query failed: ERROR:  relation "public.d" does not exist\nLOCK TABLE public.d IN ACCESS SHARE MODE',
		'pg_dump: error: query failed: ERROR:  column "n" of relation "d" does not exist',
		'pg_dump: error: query failed: ERROR:  cache lookup failed for index 16403',
		'pg_dump: error: schema with OID 16391 does not exist',
	]) {
		t.true(isOvertaken(new RunError('`postgres:shop` was not stored', {cause: new RunError(said)})), said);
	}

	for (const said of [
		'pg_dump: error: connection to server on socket failed: FATAL:  database "shop" does not exist',
		'pg_dump: error: query failed: ERROR:  permission denied for table d',
		'a lock was waited for longer than 600 s',
	]) {
		t.false(isOvertaken(new RunError(said)), said);
	}
});
