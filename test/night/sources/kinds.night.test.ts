/** Every kind stands what it must, with the agent killed at each step of a restore. Lane: waits. */
import test from 'ava';
import {sqliteCase, tarCase, volumeCase} from '../../support/kinds/files.ts';
import {mariadbCase} from '../../support/kinds/mariadb.ts';
import {postgresCase} from '../../support/kinds/postgres.ts';
import {testKind} from '../../support/kinds/suite.ts';

for (const kind of [tarCase, volumeCase, sqliteCase, postgresCase, mariadbCase('11.8')]) {
	testKind(test.serial, kind, {isWhole: true});
}
