import test from 'ava';
import {aloneProblems, type Hazards, hazardWarnings, renamingProblems} from '../../../../../agent/sources/postgres/hazards.ts';

const plain: Hazards = {
	slots: [],
	subscriptions: [],
	prepared: [],
	alone: {},
	superuser: true,
	eventTriggers: ['audit'],
	allTables: ['everything'],
	mappings: 0,
};

test('a backup says what a restore cannot put in its place as it is, and nothing where there is nothing', t => {
	t.deepEqual(hazardWarnings(plain), []);
	const warnings = hazardWarnings({
		slots: ['debezium'],
		subscriptions: ['from_there'],
		prepared: ['stuck\u001b'],
		alone: {pg_cron: 'postgres'},
		superuser: false,
		eventTriggers: ['audit'],
		allTables: ['everything'],
		mappings: 2,
	});
	for (const [index, pattern] of [
		/slot `debezium`.* is refused while it is there/,
		/subscription `from_there`/,
		/prepared transaction `stuck\\x1b`, whose changes are not in the dump/,
		/extension pg_cron, which only the database of `cron\.database_name` may have/,
		/event trigger `audit`, the publication `everything` for all tables: only a superuser can restore that/,
		/2 user mappings .* without passwords/,
	].entries()) {
		t.regex(warnings[index] ?? '', pattern);
	}

	t.is(warnings.length, 6);
});

test('before anything is stopped: who or what forbids the renaming, each with the way out', t => {
	const nobody = {slots: [], subscriptions: [], prepared: [], sessions: []};
	t.deepEqual(renamingProblems(nobody, {database: 'shop', role: 'keeper'}), []);
	t.deepEqual(
		renamingProblems(
			{slots: ['a'], subscriptions: ['b'], prepared: ['c'], sessions: [{pid: 7, user: 'postgres', application: 'exporter'}]},
			{database: 'shop', role: 'keeper'},
		).map(problem => problem.replace(/:.*/, '')),
		[
			'database `shop` has the prepared transaction `c`, which forbids renaming it',
			'database `shop` has the logical replication slot `a`, which would stay with what is replaced and hold back its WAL',
			'database `shop` has the subscription `b`, which would stay with what is replaced',
			'role `keeper` may not end session 7 in database `shop` (user postgres, application exporter), so it could not be renamed',
		],
	);
});

test('an extension that one database may have is loaded under the name that the server has for it, and nowhere else', t => {
	t.deepEqual(aloneProblems({plpgsql: '1.0'}, {'cron.database_name': null}, undefined), []);
	t.deepEqual(aloneProblems({pg_cron: '1.6'}, {'cron.database_name': 'shop2'}, 'shop2'), []);
	t.regex(
		aloneProblems({pg_cron: '1.6'}, {'cron.database_name': 'shop'}, undefined).join(),
		/\(now `shop`\).* restore with `--into` that name/,
	);
	t.is(aloneProblems({pg_cron: '1.6'}, {'cron.database_name': null}, 'x').length, 1);
});
