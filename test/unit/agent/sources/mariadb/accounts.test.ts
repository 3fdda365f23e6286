import test from 'ava';
import {makeAccounts} from '../../../../../agent/sources/mariadb/accounts.ts';
import type {MariadbServer} from '../../../../../agent/sources/mariadb/server.ts';

test('an account that is there is left as it is, and one grant that fails takes no other with it', async t => {
	const asked: string[] = [];
	const query = async (sql: string) => {
		asked.push(sql);
		if (sql === 'show grants for new' || sql === 'grant lost to new') {
			throw new Error('no');
		}

		return sql === 'show grants for old' ? [['grant usage to old']] : [];
	};
	const told: string[] = [];
	await makeAccounts(
		{query} as unknown as MariadbServer,
		[
			{account: 'old', statements: ['create old']},
			{account: 'new', statements: ['create new', 'grant lost to new', 'grant read to new']},
		],
		event => told.push('message' in event ? event.message : ''),
	);
	t.deepEqual(asked, ['show grants for old', 'show grants for new', 'create new', 'grant lost to new', 'grant read to new']);
	t.deepEqual(told, ['the account new could not be made again whole: no', 'made again, because the server lacks it: the account new']);
});

test('what everybody may do is granted again where a server has nothing of it', async t => {
	const asked: string[] = [];
	const query = async (sql: string) => {
		asked.push(sql);
		return [];
	};
	await makeAccounts(
		{query} as unknown as MariadbServer,
		[{account: 'PUBLIC', statements: ['GRANT SELECT ON `shop`.* TO PUBLIC']}],
		() => {},
	);
	t.deepEqual(asked, ['show grants for PUBLIC', 'GRANT SELECT ON `shop`.* TO PUBLIC']);
});
