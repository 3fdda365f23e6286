import test from 'ava';
import {withoutService} from '../../../../../agent/sources/postgres/server.ts';

test('a service that the container names is taken away from what runs there', t => {
	t.deepEqual(withoutService({PGSERVICE: 'elsewhere'}, ['psql', '-c', 'select 1']), ['env', '-u', 'PGSERVICE', 'psql', '-c', 'select 1']);
	t.deepEqual(withoutService({PGHOST: 'db'}, ['psql']), ['psql']);
});
