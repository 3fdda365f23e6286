/** PostgreSQL stands what every kind must. Lane: works. Turns: kinds. */
import test from 'ava';
import {postgresCase} from '../../support/kinds/postgres.ts';
import {testKind} from '../../support/kinds/suite.ts';

testKind(test, postgresCase);
