/** A stream stands what every kind must: a directory of OpenLDAP. Lane: works. Turns: kinds. */
import test from 'ava';
import {streamCase} from '../../support/kinds/stream.ts';
import {testKind} from '../../support/kinds/suite.ts';

testKind(test, streamCase);
