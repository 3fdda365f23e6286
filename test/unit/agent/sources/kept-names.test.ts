/** Names that a restore gives: no file system refuses them for their length. */
import test from 'ava';
import {isOfRestore, restoreFiles} from '../../../../agent/sources/kept-names.ts';

const run = '20261129t200000-0a1b2c3';

test('a name that is as long as one may be is cut, on a whole character, and stays another than others', t => {
	t.is(restoreFiles.old('app.db', run), `.app.db.holdfast-before-${run}`);
	for (const long of ['x'.repeat(255), 'ü'.repeat(127), '語'.repeat(85), `${'x'.repeat(208)}語`]) {
		for (const make of [restoreFiles.old, restoreFiles.fresh]) {
			const name = make(long, run);
			t.true(Buffer.byteLength(`${name}-none`) <= 255, name);
			t.true(isOfRestore(name) && !name.includes('\uFFFD'));
			t.not(make(`${long.slice(0, -1)}y`, run), name);
			t.is(make(long, run), name);
		}
	}
});
