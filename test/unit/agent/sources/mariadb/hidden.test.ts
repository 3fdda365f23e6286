import test from 'ava';
import {hiddenFrom} from '../../../../../agent/sources/mariadb/hidden.ts';

const server = (...rows: Array<[string, string]>) => ({query: async () => rows});

test('what an account cannot see is named with the privilege that it lacks', async t => {
	const reader = server(['role', 'NONE'], ['everywhere', 'USAGE'], ['here', 'SELECT'], ['here', 'SHOW VIEW']);
	t.deepEqual(await hiddenFrom(reader, 'shop'), ['triggers (TRIGGER)', 'routines (SHOW CREATE ROUTINE, or SELECT on *.*)']);
	t.deepEqual(await hiddenFrom(server(['role', 'NONE'], ['everywhere', 'SELECT'], ['here', 'TRIGGER']), 'shop'), []);
	t.deepEqual(await hiddenFrom(server(['role', 'NONE'], ['here', 'TRIGGER'], ['here', 'EXECUTE']), 'shop'), []);
	t.deepEqual(await hiddenFrom(server(['role', 'NONE'], ['everywhere', 'USAGE'], ['everywhere', 'SHOW_ROUTINE']), 'shop'), [
		'tables and views (SELECT on all of the database)',
		'triggers (TRIGGER)',
	]);
	t.deepEqual(await hiddenFrom(server(['role', 'keeper'], ['everywhere', 'USAGE']), 'shop'), []);
});

test('quotes in what is asked are doubled, as in any `sql_mode`', async t => {
	let asked = '';
	const query = async (sql: string) => {
		asked = sql;
		return [];
	};
	await hiddenFrom({query}, 'shop');
	t.is(asked.match(/grantee = concat\('''', replace\(current_user\(\), '@', '''@'''\), ''''\)/g)?.length, 2);
});
