/** What waits for a lock of the server ends, and says who is in the way; the server is a function that answers. */
import {setImmediate as turn} from 'node:timers/promises';
import test from 'ava';
import {ServerRefusal} from '../../../../../agent/sources/mariadb/client.ts';
import {describeHolder, patiently, tellingWho, whoHolds, withoutTexts} from '../../../../../agent/sources/mariadb/waits.ts';
import {RunError} from '../../../../../base/errors.ts';

const migration = ['12', 'app', '10.0.0.3:4444', 'Query', '61', "alter table orders comment 'hush'", ''];
const waiting = ['40', 'Waiting for table metadata lock', 'SELECT /*!40001 SQL_NO_CACHE */ * FROM `orders`'];

/** Answers by what the question has in it; what is not known is refused. */
const serverOf = (answers: Readonly<Record<string, string[][]>>) => {
	const asked: string[] = [];
	return {
		asked,
		async query(sql: string) {
			asked.push(sql);
			const found = Object.entries(answers).find(([part]) => sql.includes(part));
			if (found === undefined) {
				throw new ServerRefusal('ERROR 1109 (42S02): Unknown table');
			}

			return found[1];
		},
	};
};

test('what is in quotes is nobody’s business, also where it is cut off', t => {
	t.is(
		withoutTexts(`insert into t values ('a''b\\'c', "x""y", 1);\nset password = 'hal`),
		`insert into t values ('…', "…", 1); set password = '…'`,
	);
	t.is(withoutTexts('select "a\\'), 'select "…"');
	t.is(withoutTexts('drop table `a`'), 'drop table `a`');
});

test('who is in the way, for people: at a statement, idle, in a transaction', t => {
	const [id = '', user = '', host = '', command = '', seconds = '', statement = ''] = migration;
	const holder = {id, user, host, command, seconds, statement, since: ''};
	t.is(describeHolder(holder), "session 12 (`app` at 10.0.0.3:4444, `alter table orders comment '…'` for 61 s)");
	t.is(
		describeHolder({...holder, command: 'Sleep', statement: '', since: '2026-11-25 03:00:01'}),
		'session 12 (`app` at 10.0.0.3:4444, idle for 61 s, in its transaction since 2026-11-25 03:00:01)',
	);
});

test('a server that knows who has locks is asked first, and one that does not shows who is there', async t => {
	t.regex(await whoHolds(serverOf({metadata_lock_info: [migration], innodb_trx: []})), /^who has locks there: session 12/);
	t.regex(await whoHolds(serverOf({performance_schema: [migration], innodb_trx: []})), /^who has locks there: session 12/);
	t.regex(
		await whoHolds(serverOf({metadata_lock_info: [], performance_schema: [], innodb_trx: [migration]})),
		/^the server does not say who holds it, and has these sessions: session 12/,
	);
	t.regex(await whoHolds(serverOf({})), /^nobody is seen who holds it, because .*1109/);
});

const work = async (signal: AbortSignal) =>
	new Promise<never>((_, reject) => {
		signal.addEventListener('abort', () => reject(signal.reason), {once: true});
	});

test('a dump that waits for too long is ended, and says who is in the way', async t => {
	const server = serverOf({'Waiting for': [waiting], innodb_trx: [migration]});
	const {signal} = new AbortController();
	const watched = {server, database: 'shop', newerThan: 33, isReading: () => false, limitMs: 20, signal};
	const error = await t.throwsAsync(patiently(watched, work), {instanceOf: RunError});
	t.regex(
		error.message,
		/^a lock was waited for longer than 0.02 s \(Waiting for table metadata lock: SELECT .* FROM `orders`\): the server does not say .* session 12/,
	);
	t.regex((error as RunError).hint ?? '', /`kill ID`.*HOLDFAST_LOCK_TIMEOUT/);
	t.regex(server.asked[0] ?? '', /id > 33 /);
});

test('a dump that is done while it is asked who was in its way is done', async t => {
	const server = serverOf({'Waiting for': [waiting], innodb_trx: [migration]});
	const {signal} = new AbortController();
	const done = Promise.withResolvers<string>();
	const query = async (sql: string) => {
		if (sql.includes('innodb_trx')) {
			done.resolve('whole');
			await turn();
		}

		return server.query(sql);
	};
	const watched = {server: {query}, database: 'shop', newerThan: 33, isReading: () => false, limitMs: 20, signal};
	t.is(await patiently(watched, async () => done.promise), 'whole');
	t.true(server.asked.some(sql => sql.includes('innodb_trx')));
});

test('one whose rows come is not looked at, and ends with its signal', async t => {
	const server = serverOf({'Waiting for': [waiting]});
	const end = new AbortController();
	let looks = 0;
	const isReading = () => {
		looks++;
		if (looks === 3) {
			end.abort(new Error('cancelled'));
		}

		return true;
	};
	const watched = {server, database: 'shop', newerThan: 33, isReading, limitMs: 8, signal: end.signal};
	await t.throwsAsync(patiently(watched, work), {message: 'cancelled'});
	t.deepEqual(server.asked, []);
});

test('a look that fails ends no dump', async t => {
	const server = serverOf({});
	const {signal} = new AbortController();
	const watched = {server, database: 'shop', newerThan: 0, isReading: () => false, limitMs: 4, signal};
	const done = Promise.withResolvers<string>();
	const query = async (sql: string) => {
		if (server.asked.length === 2) {
			done.resolve('whole');
		}

		return server.query(sql);
	};
	t.is(await patiently({...watched, server: {query}}, async () => done.promise), 'whole');
});

test('SQL that waits in vain says who is in the way; any other refusal is as it was', async t => {
	const server = serverOf({innodb_trx: [migration]});
	const ask = (code: number) =>
		tellingWho(
			{
				query: async sql =>
					sql.startsWith('check') ? Promise.reject(new ServerRefusal(`ERROR ${code} (HY000): Lock wait timeout`)) : server.query(sql),
			},
			6000,
		)('check table v', 'shop');
	await t.throwsAsync(ask(1205), {message: /longer than 6 s \(check table v\): .*session 12/});
	await t.throwsAsync(ask(1146), {instanceOf: ServerRefusal});
});
