/** Backups by the real restic: what is saved, read again, and made no snapshot of. Lane: waits. */
import {chmod, mkdir, readdir, rename, stat, utimes, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {escapePattern} from '../../../agent/restic/argv.ts';
import {createRestic} from '../../../agent/restic/create.ts';
import {succeed} from '../../../base/command.ts';
import {RepositoryError} from '../../../base/errors.ts';
import {stamp, withScratch} from '../../support/doubles/scratch-repository.ts';
import {placeWithRestic} from '../../support/machine/restic.ts';

const hostileNames = ['--force', '!x', '$HOME', '[b]?*', 'a\\q', 'new\nline', 'quote\'"', ' spaces ', 'ünï', '@latest', 'a,b'];

const fill = async (folder: string, names: readonly string[]): Promise<void> => {
	await mkdir(folder, {recursive: true});
	await Promise.all(names.map((name, index) => writeFile(path.join(folder, name), `content ${index}`)));
};

test('files are saved once, and only changes are read again', async t => {
	await withScratch(async ({data, restic}) => {
		await fill(data, hostileNames);
		const first = await restic.backupFiles({...stamp, path: data});
		t.regex(first.snapshot, /^[0-9a-f]{64}$/);
		t.is(first.files, hostileNames.length);
		t.is(first.unmodifiedFiles, 0);
		t.true(first.bytes > 0 && first.addedBytes > 0);
		await writeFile(path.join(data, '--force'), 'changed content');
		const second = await restic.backupFiles({...stamp, path: data, parent: first.snapshot, quick: true});
		t.is(second.unmodifiedFiles, hostileNames.length - 1);
		const whole = await restic.backupFiles({...stamp, path: data});
		t.is(whole.unmodifiedFiles, 0);
	});
});

test('a snapshot has the time, host, tags and sizes that it was given', async t => {
	await withScratch(async ({data, restic}) => {
		await fill(data, ['a']);
		const time = new Date('2026-07-31T23:59:58.900Z');
		const {snapshot, bytes, addedBytes} = await restic.backupFiles({...stamp, time, tags: ['holdfast', 'source:volume:/a b'], path: data});
		const [found, ...others] = await restic.snapshots(['holdfast', 'source:volume:/a b']);
		t.is(others.length, 0);
		const {tree = '', ...rest} = found ?? {};
		t.regex(tree, /^[0-9a-f]{64}$/);
		t.deepEqual(rest as unknown, {
			id: snapshot,
			time: new Date('2026-07-31T23:59:58Z'),
			host: 'test-host',
			tags: ['holdfast', 'source:volume:/a b'],
			paths: [data],
			bytes,
			addedBytes,
		});
		t.deepEqual(await restic.snapshots(['holdfast', 'other']), []);
		t.is((await restic.snapshots()).length, 1);
	});
});

test('an empty folder is a snapshot', async t => {
	await withScratch(async ({data, folder, restic}) => {
		const {snapshot, files} = await restic.backupFiles({...stamp, path: data});
		t.is(files, 0);
		const into = path.join(folder, 'into');
		await fill(into, ['left over']);
		await restic.restore({snapshot, subfolder: data, into, delete: true});
		t.deepEqual(await readdir(into), []);
	});
});

test('a missing path is an error and makes no snapshot', async t => {
	await withScratch(async ({data, restic}) => {
		const error = await t.throwsAsync(restic.backupFiles({...stamp, path: path.join(data, 'nothing')}), {instanceOf: RepositoryError});
		t.regex(error?.message ?? '', /data\/nothing does not exist|do not exist/);
		t.is(error?.problem, 'failed');
		t.deepEqual(await restic.snapshots(), []);
	});
});

test('a missing parent is an error', async t => {
	await withScratch(async ({data, restic}) => {
		await fill(data, ['a']);
		await t.throwsAsync(restic.backupFiles({...stamp, path: data, parent: 'ab'.repeat(32)}), {instanceOf: RepositoryError});
		t.deepEqual(await restic.snapshots(), []);
	});
});

test('an unreadable file is an error that names it', async t => {
	await withScratch(
		async ({folder, data, repository}) => {
			await Promise.all([chmod(folder, 0o777), chmod(data, 0o755)]);
			const place = await placeWithRestic(['setpriv', '--reuid=4321', '--regid=4321', '--clear-groups']);
			const restic = createRestic(place, repository);
			await restic.init();
			await fill(data, ['readable', 'secret file']);
			await chmod(path.join(data, 'secret file'), 0o600);
			const error = await t.throwsAsync(restic.backupFiles({...stamp, path: data, quick: true}), {instanceOf: RepositoryError});
			t.true(error?.message.includes(`could not be read completely: ${path.join(data, 'secret file')}`), error?.message);
		},
		{init: false},
	);
});

test('excluded files are not in the snapshot', async t => {
	await withScratch(async ({data, restic}) => {
		await fill(data, [...hostileNames, 'kept']);
		const exclude = hostileNames.map(name => escapePattern(path.join(data, name)));
		const {snapshot, files} = await restic.backupFiles({...stamp, path: data, exclude});
		t.is(files, 1);
		await t.notThrowsAsync(succeedingDump(restic, snapshot, path.join(data, 'kept')));
	});
});

const succeedingDump = async (restic: ReturnType<typeof createRestic>, snapshot: string, file: string): Promise<void> => {
	const running = await restic.dump(snapshot, file);
	running.stdout.resume();
	await running.done;
};

test('a snapshot without some files makes the next backup read just those again', async t => {
	await withScratch(async ({data, restic}) => {
		await fill(data, [...hostileNames, 'b', 'x']);
		const first = await restic.backupFiles({...stamp, path: data});
		for (const name of ['[b]?*', 'new\nline', '!x']) {
			const parent = await restic.rewriteWithout(first.snapshot, [escapePattern(path.join(data, name))]);
			t.not(parent, first.snapshot);
			const second = await restic.backupFiles({...stamp, path: data, parent, quick: true});
			t.is(second.files, hostileNames.length + 2);
			t.is(second.unmodifiedFiles, hostileNames.length + 1, name);
		}
	});
});

test('a file that changed without a new time, size or inode is read again after it was rewritten away', async t => {
	await withScratch(async ({data, restic}) => {
		const file = path.join(data, 'a');
		await writeFile(file, 'before');
		const past = new Date('2026-01-01T00:00:00Z');
		await utimes(file, past, past);
		const first = await restic.backupFiles({...stamp, path: data});
		const parent = await restic.rewriteWithout(first.snapshot, [escapePattern(file)]);
		t.is((await stat(file)).size, 6);
		const second = await restic.backupFiles({...stamp, path: data, parent});
		t.is(second.unmodifiedFiles, 0);
	});
});

test('rewriting without a match gives the same id, and one that is not there is an error', async t => {
	await withScratch(async ({data, restic}) => {
		await fill(data, ['a']);
		const {snapshot} = await restic.backupFiles({...stamp, path: data});
		t.is(await restic.rewriteWithout(snapshot, [escapePattern(path.join(data, 'other'))]), snapshot);
		t.is(await restic.rewriteWithout(snapshot, []), snapshot);
		await t.throwsAsync(restic.rewriteWithout('ab'.repeat(32), ['/x']), {instanceOf: RepositoryError, message: /neither a new snapshot/});
	});
});

test('a rewritten snapshot can be rewritten again', async t => {
	await withScratch(async ({data, restic}) => {
		await fill(data, ['a', 'b', 'c']);
		const {snapshot} = await restic.backupFiles({...stamp, path: data});
		const once = await restic.rewriteWithout(snapshot, [path.join(data, 'a')]);
		const twice = await restic.rewriteWithout(once, [path.join(data, 'b')]);
		t.is(new Set([snapshot, once, twice]).size, 3);
		t.is((await restic.backupFiles({...stamp, path: data, parent: twice})).unmodifiedFiles, 1);
	});
});

test('a stream is a file of the snapshot', async t => {
	await withScratch(async ({restic}) => {
		const filename = '/project/db/postgres/--a $(id) b';
		const {snapshot, bytes, files} = await restic.backupStream({...stamp, filename, command: ['printf', '%s', 'hello']});
		t.is(bytes, 5);
		t.is(files, 1);
		const running = await restic.dump(snapshot, filename);
		const chunks: Buffer[] = [];
		for await (const chunk of running.stdout) {
			chunks.push(chunk as Buffer);
		}

		t.is(Buffer.concat(chunks).toString(), 'hello');
		t.is((await running.done).exitCode, 0);
	});
});

for (const [what, script] of [
	['exits with an error', 'echo partial; exit 7'],
	['is killed', 'head -c 50000000 /dev/urandom; kill -KILL $$'],
	['cannot be started', 'exec no-such-program'],
] as const) {
	test(`no snapshot is made when the producer ${what}`, async t => {
		await withScratch(async ({restic}) => {
			await t.throwsAsync(restic.backupStream({...stamp, filename: '/t/dump', command: ['sh', '-c', script]}), {
				instanceOf: RepositoryError,
				message: /backup of \/t\/dump: .*(exit status|signal: killed)/,
			});
			t.deepEqual(await restic.snapshots(), []);
		});
	});
}

test('an empty stream is an error', async t => {
	await withScratch(async ({restic}) => {
		await t.throwsAsync(restic.backupStream({...stamp, filename: '/t/dump', command: ['true']}), {
			instanceOf: RepositoryError,
			message: /no data read/,
		});
	});
});

test('cancelling a stream makes no snapshot', async t => {
	await withScratch(async ({restic}) => {
		const controller = new AbortController();
		const reason = new Error('cancelled');
		const saving = restic.backupStream({
			...stamp,
			filename: '/t/dump',
			command: ['cat', '/dev/urandom'],
			signal: controller.signal,
			onProgress: ({bytes}) => bytes > 0 && controller.abort(reason),
		});
		t.is(await t.throwsAsync(saving), reason);
		t.deepEqual(await restic.snapshots(), []);
	});
});

test('a held backup sees the files as they are when it is let go, and is quick then', async t => {
	await withScratch(async ({data, restic}) => {
		await fill(data, ['a', 'b']);
		const first = await restic.backupFiles({...stamp, path: data});
		const go = Promise.withResolvers<void>();
		const held = Promise.withResolvers<void>();
		const saving = restic.backupFiles({
			...stamp,
			path: data,
			parent: first.snapshot,
			quick: true,
			hold: {held: held.resolve, go: go.promise},
		});
		await Promise.race([held.promise, saving]);
		// Who is not held is done before this is answered.
		t.is((await restic.locks()).length, 1);
		await writeFile(path.join(data, 'c'), 'later');
		const letGo = performance.now();
		go.resolve();
		const {snapshot, files} = await saving;
		t.log(`let go to end: ${Math.round(performance.now() - letGo)} ms`);
		t.is(files, 3);
		await t.notThrowsAsync(succeedingDump(restic, snapshot, path.join(data, 'c')));
	});
});

test('a held backup that fails before, is cancelled, or is never let go makes no snapshot', async t => {
	await withScratch(async ({data, restic, repository, place}) => {
		await fill(data, ['a']);
		const never = Promise.withResolvers<void>();
		const wrong = createRestic(place, {...repository, env: {RESTIC_PASSWORD: 'wrong'}});
		const hold = {held: () => t.fail('it is not held'), go: never.promise};
		const error = await t.throwsAsync(wrong.backupFiles({...stamp, path: data, hold}), {instanceOf: RepositoryError});
		t.is(error?.problem, 'wrong-password', error?.message);

		const controller = new AbortController();
		const reason = new Error('cancelled');
		const cancelled = restic.backupFiles({
			...stamp,
			path: data,
			signal: controller.signal,
			hold: {held: () => controller.abort(reason), go: never.promise},
		});
		t.is(await t.throwsAsync(cancelled), reason);

		const refused = Promise.withResolvers<void>();
		const quiesceFailed = new Error('quiesce failed');
		const refusing = restic.backupFiles({...stamp, path: data, hold: {held: () => refused.reject(quiesceFailed), go: refused.promise}});
		t.is(await t.throwsAsync(refusing), quiesceFailed);
		t.deepEqual(await restic.snapshots(), []);
	});
});

test('a replaced file is read again', async t => {
	await withScratch(async ({data, restic, place}) => {
		await fill(data, ['a']);
		const first = await restic.backupFiles({...stamp, path: data});
		await fill(data, ['b']);
		await succeed(place, {argv: ['touch', '--reference', path.join(data, 'a'), path.join(data, 'b')]});
		await rename(path.join(data, 'b'), path.join(data, 'a'));
		t.is((await restic.backupFiles({...stamp, path: data, parent: first.snapshot})).unmodifiedFiles, 0);
	});
});
