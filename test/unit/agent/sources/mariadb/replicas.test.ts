import test from 'ava';
import {replicaProblems, replicaWarning} from '../../../../../agent/sources/mariadb/replicas.ts';

const server = (replicas: string, only = '', without = '') => ({
	where: 'in container `db`',
	query: async (sql: string) => (sql.includes('processlist') ? [[replicas]] : [['bin.000001', '4', only, without]]),
});

test('who follows the server is told of', async t => {
	t.is(await replicaWarning(server('0')), undefined);
	t.regex((await replicaWarning(server('2'))) ?? '', /has 2 replicas: what is restored is restored there, too/);
});

test('a binary log of some databases only would stop replicas, or leave them as they are', async t => {
	t.deepEqual(await replicaProblems(server('0', 'shop'), 'shop'), []);
	t.deepEqual(await replicaProblems(server('1', '', 'mysql'), 'shop'), []);
	t.regex((await replicaProblems(server('1', 'shop'), 'shop')).join(), /1 replica, and a binary log of some databases only/);
	t.is((await replicaProblems(server('1', '', 'other,shop'), 'shop')).length, 1);
});
