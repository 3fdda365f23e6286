import test from 'ava';
import fc from 'fast-check';
import {isOnlyGone, repositoryError} from '../../../../agent/restic/exit-codes.ts';
import {redactor} from '../../../../agent/restic/secrets.ts';
import {stderrLimit} from '../../../../base/command.ts';

const env = {RESTIC_PASSWORD: 'canary-password'};
const fail = (exitCode: number, stderr: string) =>
	repositoryError({
		action: 'backup of /data',
		repository: 'repository `primary` (/repository)',
		exit: {exitCode, stderr},
		redact: redactor({location: '/repository', env}),
	});
const exitError = (code: number, message: string): string => `${JSON.stringify({message_type: 'exit_error', code, message})}\n`;
const itemError = (item: string, message: string): string =>
	`${JSON.stringify({message_type: 'error', error: {message}, during: 'archival', item})}\n`;

test('10, 11 and 12 are words of their own', t => {
	t.is(fail(10, exitError(10, 'Fatal: repository does not exist')).problem, 'missing');
	t.is(fail(11, exitError(11, 'locked')).problem, 'locked');
	t.is(fail(12, exitError(12, 'Fatal: wrong password or no key found')).problem, 'wrong-password');
});

test("the places in its program that restic was at are nobody's business, as JSON and as text", t => {
	const stack =
		'\ngithub.com/restic/restic/internal/backend/cache.writeCachedirTag\n\tgithub.com/restic/restic/internal/backend/cache/cache.go:62\nmain.newBackupCommand.func2\n\tgithub.com/restic/restic/cmd/restic/cmd_backup.go:76';
	const said = `open /cache/CACHEDIR.TAG: permission denied${stack}\nunable to open cache${stack}`;
	const clean = 'backup of /data: restic exited with 1: open /cache/CACHEDIR.TAG: permission denied\nunable to open cache';
	t.is(fail(1, exitError(1, said)).message, clean);
	t.is(fail(1, `${said}\n`).message, clean);
	t.is(fail(1, `${said}\nruntime.goexit\n\truntime/asm_amd64.s:1771\n`).message, clean);
	t.is(
		fail(1, 'panic: it broke\n\ngoroutine 1 [running]:\nmain.f({0x1, 0x2})\n\t/restic/main.go:12 +0x1d\n').message,
		'backup of /data: restic exited with 1: panic: it broke',
	);
});

test('a lock names its owner and since when', t => {
	const {message} = fail(
		11,
		exitError(
			11,
			'unable to create lock in backend: repository is already locked exclusively by PID 15596 on vm by root (UID 0, GID 0)\nlock was created at 2026-11-21 02:25:13 (1.7s ago)\nstorage ID 2bb7cce3',
		),
	);
	t.is(
		message,
		'backup of /data: repository `primary` (/repository) is locked exclusively by PID 15596 on vm by root (UID 0, GID 0) since 2026-11-21 02:25:13 UTC',
	);
});

test('a full disk and an unreachable repository are told apart', t => {
	t.is(fail(1, exitError(1, 'Fatal: unable to save snapshot: write /r/data: no space left on device')).problem, 'full');
	t.is(fail(1, 'Head "http://h/": dial tcp 127.0.0.1:1: connect: connection refused\n').problem, 'unreachable');
	t.is(fail(1, exitError(1, 'Fatal: dial tcp: lookup nowhere: no such host')).problem, 'unreachable');
	t.is(fail(1, exitError(1, 'Fatal: something else')).problem, 'failed');
	for (const said of [
		'Save(<data/1>) failed: unexpected HTTP response (507): 507 Insufficient Storage',
		'Save(<data/1>) failed: client.PutObject: Storage backend has reached its minimum free drive threshold.',
		'Save(<data/1>) failed: b2_upload_file: 403: storage cap exceeded',
		'rclone stderr: googleapi: Error 403: The user has exceeded their Drive storage quota, storageQuotaExceeded',
	]) {
		t.is(fail(1, exitError(1, `Fatal: unable to save snapshot: ${said}`)).problem, 'full', said);
	}

	for (const said of [
		'unexpected HTTP response (503): 503 Service Unavailable',
		'502 Bad Gateway',
		'client.PutObject: Please reduce your request rate.',
	]) {
		t.is(fail(1, exitError(1, `Fatal: Save(<data/1>) failed: ${said}`)).problem, 'unreachable', said);
	}
});

test('the repository is not said to be full where there is no room elsewhere', t => {
	const written = {message_type: 'error', error: {message: 'write /v/x: no space left on device'}, during: 'restore', item: '/v/x'};
	const restored = fail(1, `${JSON.stringify(written)}\n${exitError(1, 'There were 1 errors')}`);
	t.is(restored.problem, 'failed');
	t.is(
		restored.message,
		'backup of /data: there is no room where it is restored to: /v/x: write /v/x: no space left on device; There were 1 errors',
	);
	t.is(restored.hint, 'make room there');
	const cached = fail(1, exitError(1, 'Fatal: unable to open cache: open /cache/r/CACHEDIR.TAG: no space left on device'));
	t.regex(cached.message, /no room in Holdfast's own cache or temporary folder: .*CACHEDIR/);
	t.is(fail(1, exitError(1, 'Fatal: open /repository/tmp/x: no space left on device')).problem, 'full');
});

test('a server that refuses to remove or to lock is told apart from a file that may not be read', t => {
	const removal = `Remove(<snapshot/93d80e98c8>) failed: unexpected HTTP response (403): 403 Forbidden\nunable to remove snapshot/93d80e98c8 from the repository\n${exitError(3, 'failed to remove one or more snapshots')}`;
	const {problem, message} = fail(3, removal);
	t.is(problem, 'refused');
	t.is(
		message,
		'backup of /data: repository `primary` (/repository) refuses it: Remove(<snapshot/93d80e98c8>) failed: unexpected HTTP response (403): 403 Forbidden',
	);
	t.is(fail(1, exitError(1, 'unable to create lock in backend: open /r/locks/1: read-only file system')).problem, 'refused');
	t.is(fail(3, itemError('/data/a', 'open /data/a: permission denied')).problem, 'failed');
	t.is(fail(1, exitError(1, 'Fatal: open /data/403: permission denied')).problem, 'failed');
});

test('files that could not be read are named, up to a bound', t => {
	const few = fail(
		3,
		itemError('/data/a', 'open /data/a: permission denied') + exitError(3, 'Warning: at least one source file could not be read'),
	);
	t.is(few.message, 'backup of /data: could not be read completely: /data/a: open /data/a: permission denied');
	const many = fail(3, Array.from({length: 50}, (_, index) => itemError(`/data/file${index}`, 'denied')).join(''));
	t.true(many.message.includes('/data/file9') && !many.message.includes('/data/file10:'));
	t.true(many.message.endsWith('and 40 or more others'));
});

test('a file name cannot make a failure look like another', t => {
	t.is(fail(3, itemError('/data/no space left on device', 'denied')).problem, 'failed');
});

test('every other exit code is a failure that names the code', t => {
	fc.assert(
		fc.property(
			// 137 is SIGKILL's, mostly for memory, and says so
			fc.integer({min: 1, max: 255}).filter(code => ![3, 10, 11, 12, 137].includes(code)),
			code => {
				const error = fail(code, '');
				t.is(error.problem, 'failed');
				t.true(error.message.includes(`restic exited with ${code}: (it printed nothing)`));
			},
		),
	);
});

test('a restic that was killed is told as such, with what to do', t => {
	t.regex(fail(137, '').message, /was killed \(exit code 137\), by hand or for want of memory/);
	t.regex(fail(137, '').hint ?? '', /HOLDFAST_WORKER_MEMORY/);
	t.regex(fail(137, 'container `worker` ended, killed by somebody (exit code 137), while it ran').message, /: container `worker` ended/);
});

test('secrets are redacted in every kind of message', t => {
	const stderr = `noise canary-password\n${itemError('/x', 'canary-password')}${exitError(1, 'canary-password')}`;
	for (const code of [1, 3, 10, 11, 12, 130]) {
		t.false(fail(code, stderr).message.includes('canary-password'));
	}
});

test('half a secret at the cut of stderr is dropped', t => {
	const stderr = `word and more\n${'x'.repeat(80)}\n`.padEnd(stderrLimit, 'x\n');
	t.false(fail(1, `ry-pass${stderr}`.slice(0, stderrLimit)).message.includes('ry-pass'));
});

test('why the producer of a stream failed is in the error', t => {
	const stderr = [
		'subprocess sh: the dump does not begin with PGDMP',
		'{"message_type":"exit_error","code":1,"message":"Fatal: unable to save snapshot: command failed: exit status 1"}',
	].join('\n');
	const {message} = repositoryError({action: 'backup of /x', repository: 'r', exit: {exitCode: 1, stderr}, redact: text => text});
	t.regex(message, /the dump does not begin with PGDMP; Fatal: unable to save snapshot/);
});

test('what was gone before it was read is told from what may not be read', t => {
	const gone = itemError('/data/.a', 'lstat /data/.a: no such file or directory');
	const metadata = itemError('/data/.b', 'incomplete metadata for /data/.b: xattr.list /data/.b: no such file or directory');
	const warning = exitError(3, 'Warning: at least one source file could not be read');
	t.true(isOnlyGone({exitCode: 3, stderr: gone + metadata + warning}));
	t.false(isOnlyGone({exitCode: 3, stderr: gone + itemError('/data/c', 'open /data/c: permission denied') + warning}));
	t.false(isOnlyGone({exitCode: 3, stderr: warning}));
	t.false(isOnlyGone({exitCode: 1, stderr: gone}));
	t.false(isOnlyGone({exitCode: 0, stderr: ''}));
});

for (const [said, hint] of [
	['Fatal: unable to open config file: negative content length', /no repository: a login page.*curl --include/],
	["Fatal: config cannot be loaded: invalid character '<' looking for beginning of value", /no repository: a login page/],
	[
		'Fatal: unable to open repository at rest:https://h/: Head "https://h/config": tls: first record does not look like a TLS handshake',
		/https where it should be http/,
	],
	['Fatal: client.BucketExists: The difference between the request time and the current time is too large.', /clock.*timedatectl/],
	[
		'subprocess ssh: Host key verification failed.\nFatal: unable to start the sftp session, error: EOF',
		/ssh-keyscan HOST.*UserKnownHostsFile/,
	],
	['Fatal: Head "https://h/config": tls: failed to verify certificate: x509: certificate signed by unknown authority', /RESTIC_CACERT/],
	[
		'Fatal: Head "https://h/config": tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-30',
		/certificate is over, or this host's clock/,
	],
	['Fatal: dial tcp 10.0.0.1:80: connect: connection refused', /^check the network/],
] as const) {
	test(`what a person can do: ${said.slice(-40)}`, t => {
		const error = fail(1, said.includes('subprocess') ? `${said}\n` : exitError(1, said));
		t.regex(error.hint ?? '', hint);
		t.false(/(?:retry|goroutine)/.test(error.message));
	});
}
