import test from 'ava';
import {explain} from '../../../base/errors.ts';
import {explainPause} from '../../../docker/refusal.ts';

test('an engine without control groups cannot pause: one line says what to set', t => {
	const refused = new Error(
		'(HTTP code 500) server error - Cannot pause container 0c95: OCI runtime pause failed: cannot toggle freezer: cgroups not configured for container: unknown',
	);
	t.regex(explain(explainPause(refused)), /no control groups.*cgroup v2.*`holdfast\.quiesce=stop`/);
});

test('another refusal of a pause stays as it is', t => {
	const refused = new Error('(HTTP code 409) conflict - Container 0c95 is not running');
	t.is(explainPause(refused), refused);
});
