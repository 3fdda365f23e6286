import test from 'ava';
import {openRestoreJournal} from '../../../../agent/restore/journal.ts';
import type {RestoreJournal, RestoreRecord} from '../../../../agent/state/restores.ts';

test('what a swap writes down of itself does not make it one that never began: to let go of it would take back what was restored', t => {
	const saved: RestoreRecord[] = [];
	const restores = {saveRestore: (record: RestoreRecord) => saved.push(record)} as unknown as RestoreJournal;
	const journal = openRestoreJournal(restores, {run: 'r', target: 'shop/db', point: 'p', keptIn: 'repository'});
	const marks = () => saved.at(-1)?.replacements.map(({source, touched}) => [source, touched]);
	for (const source of ['a', 'b']) {
		journal.remember({kind: 'mariadb', source});
	}

	journal.phase('swapping');
	journal.touch({source: 'a'});
	journal.remember({kind: 'mariadb', source: 'a', beside: true});
	t.deepEqual(marks(), [
		['a', true],
		['b', false],
	]);
	journal.restored({kind: 'mariadb', source: 'a'});
	t.deepEqual(marks(), [
		['a', false],
		['b', false],
	]);
});
