import {existsSync} from 'node:fs';
import test from 'ava';
import {shipped, shippedProgram} from '../../../base/shipped.ts';

test('files are found from the top, and programs as what they are', t => {
	t.true(existsSync(shipped('agent/api/page/page.css')));
	t.true(shippedProgram('agent/sources/sqlite/find.program')[2].endsWith('/agent/sources/sqlite/find.program.ts'));
	t.true(existsSync(shippedProgram('agent/sources/volume/entries.program')[2]));
});
