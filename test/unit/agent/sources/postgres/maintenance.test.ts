import test from 'ava';
import {maintenanceIn, NoSessionError} from '../../../../../agent/sources/postgres/maintenance.ts';

function serverWith(databases: Set<string>) {
	const asked: string[] = [];
	const {maintenance, anywhere} = maintenanceIn(
		async (database, sql) => {
			asked.push(`${database}: ${sql}`);
			if (!databases.has(database)) {
				throw new NoSessionError(`database "${database}" does not exist`);
			}

			return sql.startsWith('select to_json(datname)') ? [...databases].map(name => [JSON.stringify(name)]) : [['answered']];
		},
		['shop'],
	);
	return {asked, maintenance, anywhere};
}

test('a question that no database matters to is asked at once, where the last one was answered', async t => {
	const databases = new Set(['shop', 'other']);
	const {asked, anywhere} = serverWith(databases);
	t.deepEqual(await anywhere('question'), [['answered']]);
	t.deepEqual(asked, ['postgres: question', 'template1: question', 'shop: question']);
	asked.length = 0;
	t.deepEqual(await anywhere('question'), [['answered']]);
	t.deepEqual(asked, ['shop: question']);
});

test('a database that was admitting and is gone is passed over; where none admits, the first says why, and the next question tries again', async t => {
	const databases = new Set(['shop']);
	const {anywhere} = serverWith(databases);
	await anywhere('question');
	databases.clear();
	databases.add('postgres');
	t.deepEqual(await anywhere('question'), [['answered']]);
	databases.clear();
	await t.throwsAsync(anywhere('question'), {instanceOf: NoSessionError});
	databases.add('template1');
	t.deepEqual(await anywhere('question'), [['answered']]);
});

test('who is renamed is renamed from another, which the server names where none is known', async t => {
	const {maintenance} = serverWith(new Set(['shop', 'other']));
	t.is(await maintenance(), 'shop');
	t.is(await maintenance('shop'), 'other');
	await t.throwsAsync(serverWith(new Set(['shop'])).maintenance('shop'), {message: /lets the role into no database but `shop`/});
});
