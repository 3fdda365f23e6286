/** Files, SQLite and paths of a container stand what every kind must. Lane: works. Turns: kinds. */
import test from 'ava';
import {sqliteCase, tarCase, volumeCase} from '../../support/kinds/files.ts';
import {testKind} from '../../support/kinds/suite.ts';

for (const kind of [tarCase, sqliteCase, volumeCase]) {
	testKind(test.serial, kind);
}
