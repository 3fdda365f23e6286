import test from 'ava';
import {requireVersion} from '../../../../agent/restic/version.ts';
import {RunError} from '../../../../base/errors.ts';

test('versions from 0.18.0 on are accepted', t => {
	for (const version of ['0.18.0', '0.18.1', '0.19.1', '1.0.0', '0.19.1-dev (compiled manually)']) {
		t.notThrows(() => requireVersion(version));
	}
});

test('older ones, and those that cannot be read, are refused', t => {
	for (const version of ['0.17.3', '0.16.5', '0.9.6', '', 'unknown']) {
		t.throws(() => requireVersion(version), {instanceOf: RunError, message: /too old/});
	}
});
