import test from 'ava';
import {hiddenFrom} from '../../../../../agent/sources/mariadb/hidden.ts';

const server = (...rows: Array<[string, string]>) => ({query: async () => rows});

test('what an account cannot see is named with the privilege that it lacks', async t => {
	const reader = server(['role', 'NONE'], ['everywhere', 'USAGE'], ['here', 'SELECT'], ['here', 'SHOW VIEW']);
	t.deepEqual(await hiddenFrom(reader, 'shop'), ['triggers (TRIGGER)', 'routines (SHOW CREATE ROUTINE, or SELECT on *.*)']);
	t.deepEqual(await hiddenFrom(server(['role', 'NONE'], ['everywhere', 'SELECT'], ['here', 'TRIGGER']), 'shop'), []);
	t.deepEqual(await hiddenFrom(server(['role', 'NONE'], ['here', 'TRIGGER'], ['here', 'EXECUTE']), 'shop'), []);
	t.deepEqual(await hiddenFrom(server(['role', 'keeper'], ['everywhere', 'USAGE']), 'shop'), []);
});
