/** MariaDB stands what every kind must. Lane: works. Turns: kinds. */
import test from 'ava';
import {mariadbCase} from '../../support/kinds/mariadb.ts';
import {testKind} from '../../support/kinds/suite.ts';

testKind(test, mariadbCase('11.8'));
