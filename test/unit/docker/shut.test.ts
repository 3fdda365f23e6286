import test from 'ava';
import {explain} from '../../../base/errors.ts';
import {explainShut} from '../../../docker/shut.ts';

const refused = Object.assign(new Error('connect EACCES /var/run/docker.sock'), {code: 'EACCES'});

test('a socket of nobody is behind a user namespace: one line says what to set', t => {
	const said = explain(explainShut(refused, '/var/run/docker.sock', () => ({uid: 65_534, gid: 65_534})));
	t.regex(said, /`\/var\/run\/docker\.sock` belongs to uid 65534 .* `userns_mode: host`.*DAC_OVERRIDE/);
});

test('a socket of somebody: who asks is told who he is', t => {
	const said = explain(explainShut(refused, '/var/run/docker.sock', () => ({uid: 0, gid: 998})));
	t.regex(said, /belongs to uid 0 and gid 998.*run it as root/);
	t.notRegex(said, /userns/);
});

test('what is not about its owner stays as it is', t => {
	const gone = Object.assign(new Error('connect ENOENT'), {code: 'ENOENT'});
	t.is(explainShut(gone, '/var/run/docker.sock'), gone);
	t.is(explainShut(refused, undefined), refused);
	t.is(explainShut(refused, '/nowhere/docker.sock'), refused);
});
