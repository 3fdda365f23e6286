import test from 'ava';
import {listenForRefusals} from '../../../../agent/restic/attributes.ts';

const refused = (attribute: string, file: string, why = 'operation not permitted') =>
	`${JSON.stringify({
		message_type: 'error',
		error: {message: `xattr.LSet /into${file} ${attribute}: ${why}`},
		during: 'restore',
		item: file,
	})}\n`;

const end = `${JSON.stringify({message_type: 'exit_error', code: 1, message: 'There were 2 errors'})}\n`;

function heard(...pieces: string[]) {
	const refusals = listenForRefusals();
	pieces.forEach(refusals.hear);
	return refusals.only();
}

test('what the system did not take is counted, however its lines are cut', t => {
	const [first, second] = [refused('security.NTACL', '/a b'), refused('trusted.overlay.opaque', '/c', 'permission denied')];
	t.deepEqual(heard(first + second + end), {what: '`security.NTACL` of /a b', count: 2});
	t.deepEqual(heard(...(first + second + end)), {what: '`security.NTACL` of /a b', count: 2});
});

test('nothing is made of it where anything else went wrong', t => {
	t.is(heard(end), undefined);
	t.is(heard('Fatal: no\n', end), undefined);
	for (const other of [
		refused('user.colour', '/a'),
		refused('security.NTACL', '/a', 'no space left on device'),
		`${JSON.stringify({message_type: 'error', error: {message: 'open /into/a: permission denied'}, during: 'restore', item: '/a'})}\n`,
	]) {
		t.is(heard(refused('security.NTACL', '/b'), other, end), undefined, other);
	}
});

const unowned = (file: string, why: string) =>
	`${JSON.stringify({message_type: 'error', error: {message: `lchown /into${file}: ${why}`}, during: 'restore', item: file})}\n`;

test('a file system that refuses owners is heard, whatever it says, and what would be removed is like what would be set', t => {
	for (const why of [
		'operation not permitted',
		'permission denied',
		'invalid argument',
		'operation not supported',
		'function not implemented',
	]) {
		t.deepEqual(heard(unowned('/a', why), unowned('/b', why), end), {what: 'the owner of /a', count: 2});
	}

	t.is(heard(unowned('/a', 'input/output error'), end), undefined);
	const removed = refused('security.ima', '/c').replace('LSet', 'LRemove');
	t.deepEqual(heard(unowned('/a', 'permission denied'), removed, end), {what: '`security.ima` of /c and the owner of /a', count: 2});
});
