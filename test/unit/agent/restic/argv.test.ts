import test from 'ava';
import fc from 'fast-check';
import * as argv from '../../../../agent/restic/argv.ts';

const time = new Date('2026-01-31T12:00:00.999Z');
const stamp = {tags: ['holdfast', 'source:postgres:a b'], time, host: 'host'};
const id = 'ab'.repeat(32);

test('a backup of files', t => {
	t.deepEqual(argv.backupFiles({...stamp, path: '/data', exclude: ['*.tmp'], quick: true}), [
		'backup',
		'--host=host',
		'--time=2026-01-31 12:00:00',
		'--tag=holdfast',
		'--tag=source:postgres:a b',
		'--force',
		'--no-scan',
		'--quiet',
		'--exclude=*.tmp',
		'--',
		'/data',
	]);
	t.true(argv.backupFiles({...stamp, path: '/data', parent: id}).includes(`--parent=${id}`));
	t.false(argv.backupFiles({...stamp, path: '/data', parent: id}).includes('--force'));
	t.deepEqual(argv.backupFiles({...stamp, path: '/data', only: ['/data/a', '/data/-b']}).slice(-3), ['--', '/data/a', '/data/-b']);
});

test('a restore leaves out whose context a file has, and a plain one all that the system keeps for itself but file capabilities', t => {
	const left = (plain?: boolean) =>
		argv
			.restore({snapshot: id, subfolder: '/data', into: '/into', delete: false, plain})
			.filter(argument => argument.startsWith('--exclude-xattr='));
	t.deepEqual(left(), ['--exclude-xattr=security.selinux']);
	t.deepEqual(left(true), ['--exclude-xattr=security.selinux', '--exclude-xattr=security.[^c]*', '--exclude-xattr=trusted.*']);
});

test('no value becomes an option', t => {
	fc.assert(
		fc.property(fc.string(), fc.string(), fc.string(), (host, pattern, path) => {
			const built = argv.backupFiles({...stamp, host, path: `/${path.replaceAll('\0', '')}`, exclude: [pattern]});
			const separator = built.indexOf('--');
			t.is(separator, built.length - 2);
			t.true(built.slice(1, separator).every(argument => /^--[a-z-]+(=|$)/.test(argument)));
		}),
	);
});

test('the command of a stream stands behind the separator', t => {
	const built = argv.backupStream({...stamp, filename: '/t/postgres/--force', command: ['sh', '-c', 'x']});
	t.deepEqual(built.slice(built.indexOf('--')), ['--', 'sh', '-c', 'x']);
	t.true(built.includes('--stdin-filename=/t/postgres/--force'));
});

test('tags that restic would split, ids that are none and relative paths are refused', t => {
	for (const tag of ['a,b', '', ' a', 'a\0']) {
		t.throws(() => argv.snapshots([tag]), {message: /tag/});
	}

	for (const bad of ['latest', '', '--x', 'ABCDEF12', 'ab:c', `${id}0`]) {
		t.throws(() => argv.forget([bad]), {message: /id/});
	}

	t.throws(() => argv.backupFiles({...stamp, path: 'data'}), {message: /absolute/});
	t.throws(() => argv.backupFiles({...stamp, path: '/data', only: ['/data/a', 'b']}), {message: /absolute/});
	t.throws(() => argv.dump(id, 'a'), {message: /absolute/});
});

test('several tags must all be there', t => {
	t.deepEqual(argv.snapshots(['a', 'b:c']), ['snapshots', '--tag=a,b:c']);
	t.deepEqual(argv.snapshots([]), ['snapshots']);
});

test('a pattern of a path has no special character left', t => {
	t.is(argv.escapePattern('/a/[b]?*\\c'), '/a/\\[b\\]\\?\\*\\\\c');
	t.is(argv.escapePattern('!a'), '\\!a');
	t.is(argv.escapePattern('/a/!b\n$HOME'), '/a/!b\n$HOME');
	t.is(argv.escapePattern('/a/\uFFFDb'), '/a/*b');
	fc.assert(
		fc.property(
			fc.string().filter(text => !text.includes('\uFFFD')),
			text => {
				const escaped = argv.escapePattern(`/${text}`);
				t.is(escaped.replaceAll(/\\(.)/gs, '$1'), `/${text}`);
				t.notRegex(escaped.replaceAll(/\\./gs, ''), /[*?[\]\\]/);
			},
		),
	);
});

test('batches keep every value, in order, and each fits into a command', t => {
	const values = Array.from({length: 3000}, (_, index) => `${index}`.padEnd(1000, 'x'));
	const lists = argv.batches(values);
	t.deepEqual(lists.flat(), values);
	t.true(lists.length > 1 && lists.every(list => list.join('').length <= 1_000_000));
	t.deepEqual(argv.batches([]), []);
});
