import test from 'ava';
import {accessOf, mariadbPolicy, whereOf} from '../../../../../agent/sources/mariadb/labels.ts';

const project = {project: 'shop', name: 'shop-app-1'};

test('a server elsewhere has a port of its own, and one in the container that which is said', t => {
	const far = accessOf(mariadbPolicy({mariadb: 'all', 'mariadb.host': '[::1]', 'mariadb.password-secret': 'db'} as never), project);
	t.deepEqual(far, {host: '::1', port: 3306, secret: 'db', project: 'shop'});
	t.is(whereOf(far, project), 'at `::1:3306`');
	const near = accessOf(mariadbPolicy({mysql: 'all', 'mysql.port': 3307} as never), project);
	t.deepEqual(near, {port: 3307});
	t.is(whereOf(near, project), 'in container `shop-app-1`');
	t.deepEqual(accessOf(undefined, project), {});
});
