import test from 'ava';
import {assertOpen, engineProblems} from '../../../../../agent/sources/mariadb/engines.ts';

const where = 'in container `db`';

test('a server that lacks an engine is no place for its tables', async t => {
	const server = {where, query: async () => [['InnoDB'], ['MyISAM'], ['SEQUENCE']]};
	t.deepEqual(await engineProblems(['innodb', 'MyISAM'], server), []);
	t.deepEqual(await engineProblems([], server), []);
	t.regex((await engineProblems(['FEDERATED', 'InnoDB'], server)).join(), /does not have.*: "FEDERATED"; install/);
});

test('what a server cannot open is said with its own words', async t => {
	await t.notThrowsAsync(assertOpen({where, query: async () => []}, 'shop'));
	const error = await t.throwsAsync(assertOpen({where, query: async () => [['my', "Incorrect file format 'my'"]]}, 'shop'), {
		message: /cannot open tables of database "shop".*"my: Incorrect file format 'my'"/,
	});
	t.regex((error as {hint?: string}).hint ?? '', /repair table/);
});
