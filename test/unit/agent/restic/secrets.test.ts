import test from 'ava';
import fc from 'fast-check';
import {publicLocation, redactor} from '../../../../agent/restic/secrets.ts';

const locations: ReadonlyArray<[string, string]> = [
	['/repository', '/repository'],
	['/a//b@c', '/a//b@c'],
	['rest:https://user:pass@host:8000/x', 'rest:https://host:8000/x'],
	['rest:https://user:pa/ss@host:8000/x', 'rest:https://host:8000/x'],
	['rest:https://user:p@ss@host/x@y', 'rest:https://host/x@y'],
	['rest:http://host:8000/x@y/', 'rest:http://host:8000/x@y/'],
	['rest:http://[::1]:8000/x', 'rest:http://[::1]:8000/x'],
	['s3:https://key:secret@host/bucket?token=abc', 's3:https://host/bucket'],
	['s3:s3.amazonaws.com/bucket', 's3:s3.amazonaws.com/bucket'],
	['sftp://user@host:22//srv/repo', 'sftp://host:22//srv/repo'],
	['sftp:user@host:/srv/repo', 'sftp:user@host:/srv/repo'],
	['rclone:remote:path', 'rclone:remote:path'],
	['rclone:remote,pass=secret:path', 'rclone:remote,…'],
];

for (const [location, shown] of locations) {
	test(`${location} is shown as ${shown}`, t => {
		t.is(publicLocation(location), shown);
	});
}

test('no password in a URL is ever shown', t => {
	const password = fc.stringMatching(/^[A-Za-z0-9/:@?#%]{6,20}$/).filter(text => !'https://host/path'.includes(text));
	fc.assert(
		fc.property(password, secret => {
			t.false(publicLocation(`rest:https://user:Q${secret}Z@host/path`).includes(`Q${secret}Z`));
		}),
	);
});

test('every value of the environment is redacted, however it is spelled', t => {
	fc.assert(
		fc.property(fc.string({minLength: 4, maxLength: 40}), fc.string(), fc.string(), (secret, before, after) => {
			const redact = redactor({location: '/repository', env: {RESTIC_PASSWORD: secret}});
			for (const spelled of [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]) {
				const shown = redact(`${before}${spelled}${after}`);
				// What stands around it may hold it too, or make it up together with the asterisks
				t.true(!shown.includes(spelled) || '***'.includes(spelled) || `${before}***${after}`.includes(spelled));
			}
		}),
	);
});

test('credentials of the location are redacted, decoded too', t => {
	const redact = redactor({location: 'rest:https://user:s%2Fcret@host/x', env: {}});
	t.is(redact('at rest:https://user:s%2Fcret@host/x'), 'at rest:https://host/x');
	t.is(redact('password s/cret, s%2Fcret'), 'password ***, ***');
});

test('a longer secret is redacted before a shorter one inside it', t => {
	const redact = redactor({location: '/r', env: {A: 'abcd', B: 'abcdefgh'}});
	t.is(redact('abcdefgh abcd'), '*** ***');
});

test('short values are left, so that texts stay readable', t => {
	t.is(redactor({location: '/r', env: {A: 'a', B: ''}})('a cat'), 'a cat');
});
