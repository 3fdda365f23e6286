/** Valkey and Redis stand what every kind must. Lane: works. Turns: kinds. */
import test from 'ava';
import {testKind} from '../../support/kinds/suite.ts';
import {redisCase, valkeyCase} from '../../support/kinds/valkey.ts';

for (const kind of [valkeyCase, redisCase]) {
	testKind(test.serial, kind);
}
