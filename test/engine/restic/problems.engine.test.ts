/** Troubles of a repository, each told apart from the others. Lane: waits. */
import {readdirSync} from 'node:fs';
import {copyFile, mkdir, readdir, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import {createRestic} from '../../../agent/restic/create.ts';
import {ensureRepository} from '../../../agent/restic/open.ts';
import type {Repository} from '../../../agent/restic/repository.ts';
import {settle} from '../../../agent/restic/settle.ts';
import {requireVersion} from '../../../agent/restic/version.ts';
import {type Place, succeed} from '../../../base/command.ts';
import {RepositoryError, type RepositoryProblem} from '../../../base/errors.ts';
import {here} from '../../../base/here.ts';
import {password, stamp, withScratch} from '../../support/doubles/scratch-repository.ts';
import {until} from '../../support/until.ts';

const fails = async (t: ExecutionContext, work: Promise<unknown>, problem: RepositoryProblem, message: RegExp): Promise<void> => {
	const error = await t.throwsAsync(work, {instanceOf: RepositoryError, message});
	t.is(error?.problem, problem, error?.message);
	t.false(`${error?.message}${error?.stack}`.includes(password));
};

test('restic says its version', async t => {
	await withScratch(
		async ({restic}) => {
			const version = await restic.version();
			t.regex(version, /^\d+\.\d+\.\d+/);
			t.notThrows(() => requireVersion(version));
		},
		{init: false},
	);
});

test('a repository is made once, opened again, and never made anew where one was known', async t => {
	await withScratch(
		async ({repository, restic}) => {
			const id = await ensureRepository({restic, knownId: undefined, allowInit: true});
			t.regex(id, /^[0-9a-f]{64}$/);
			t.is(await ensureRepository({restic, knownId: id, allowInit: true}), id);
			await t.throwsAsync(restic.init(), {instanceOf: RepositoryError, message: /already exists|already initialized/});

			// The mount is gone, and its empty folder is there
			await rm(repository.location, {recursive: true});
			await mkdir(repository.location);
			await fails(t, ensureRepository({restic, knownId: id, allowInit: true}), 'missing', new RegExp(id));
			t.deepEqual(await readdir(repository.location), []);

			await restic.init();
			await fails(t, ensureRepository({restic, knownId: id, allowInit: true}), 'failed', /Another repository/);
		},
		{init: false},
	);
});

test('five that make one in a folder at once make one, and one whose making was killed after its key is made all the same', async t => {
	await withScratch(
		async ({repository: {location}, restic}) => {
			const open = async () =>
				ensureRepository({
					restic,
					settle: async found => settle(restic, {...found, folder: location}),
					knownId: undefined,
					allowInit: true,
				});
			const keys = async () => readdir(path.join(location, 'keys'));
			const [id, ...others] = await Promise.all(Array.from({length: 5}, open));
			t.true(others.every(other => other === id));
			t.is((await keys()).length, 1);

			await rm(path.join(location, 'config'));
			const [left] = await keys();
			t.not(await open(), id);
			const made = await keys();
			t.true(made.length === 1 && made[0] !== left);
		},
		{init: false},
	);
});

test('where several were made at once, the key that opens it is left, whichever restic tries first; and none goes where something is stored', async t => {
	await withScratch(async ({data, place, repository, restic}) => {
		await writeFile(path.join(data, 'a'), 'a');
		const {location} = repository;
		for (let round = 0; round < 4; round++) {
			const other = {...repository, location: `${location}-${round}`};
			await createRestic(place, other).init();
			const [key = ''] = await readdir(path.join(other.location, 'keys'));
			await copyFile(path.join(other.location, 'keys', key), path.join(location, 'keys', key));
		}

		const id = await ensureRepository({
			restic,
			settle: async found => settle(restic, {...found, folder: location}),
			knownId: undefined,
			allowInit: false,
		});
		t.is((await readdir(path.join(location, 'keys'))).length, 1);
		await restic.backupFiles({path: data, ...stamp});

		const [key = ''] = await readdir(path.join(`${location}-0`, 'keys'));
		await copyFile(path.join(`${location}-0`, 'keys', key), path.join(location, 'keys', key));
		const [opened] = await Promise.allSettled([settle(restic, {isMade: false, folder: location})]);
		t.true(opened.status === 'rejected' || opened.value === id);
		t.is((await readdir(path.join(location, 'keys'))).length, 2);
	});
});

test('a missing repository and a wrong password are different errors', async t => {
	await withScratch(async ({data, place, repository, restic}) => {
		await writeFile(path.join(data, 'a'), 'a');
		const wrong = createRestic(place, {...repository, env: {RESTIC_PASSWORD: `not ${password}`}});
		await fails(t, wrong.id(), 'wrong-password', /wrong password for repository `primary`/);
		await fails(t, wrong.backupFiles({...stamp, path: data}), 'wrong-password', /^backup of /);
		const missing = createRestic(place, {...repository, location: `${repository.location}-other`});
		await fails(t, missing.id(), 'missing', /does not exist/);
		await fails(t, missing.snapshots(), 'missing', /does not exist/);
		await fails(t, missing.backupFiles({...stamp, path: data}), 'missing', /does not exist/);
		t.deepEqual(await restic.snapshots(), []);
	});
});

/** Stops a `restic prune` while it has the repository for itself. One that was through before anybody looked is run again. */
const holdExclusively = async (place: Place, repository: Repository) => {
	const locks = path.join(repository.location, 'locks');
	return until('a prune that was caught with its lock', async () => {
		const running = await place({
			argv: ['sh', '-c', 'echo $$; exec restic prune', 'sh'],
			env: {...repository.env, RESTIC_REPOSITORY: repository.location, RESTIC_CACHE_DIR: repository.cacheDirectory},
		});
		const pid = await new Promise<number>(resolve => {
			running.stdout.once('data', chunk => resolve(Number.parseInt(String(chunk), 10)));
		});
		running.stdout.resume();
		let isOver = false;
		running.done.then(() => {
			isOver = true;
		});
		// Until it has its final name, it locks nothing
		const isLocked = () => readdirSync(locks).some(name => /^[0-9a-f]{64}$/.test(name));
		await until('a lock, or the end', () => isOver || isLocked(), {interval: 1});
		if (isOver) {
			return undefined;
		}

		process.kill(pid, 'SIGSTOP');
		return isLocked() ? {pid, release: () => process.kill(pid, 'SIGCONT'), running} : process.kill(pid, 'SIGCONT') && undefined;
	});
};

test('a lock held by someone else is an error that names its owner, and is left alone', async t => {
	await withScratch(async ({data, place, repository, restic}) => {
		await writeFile(path.join(data, 'a'), 'a');
		const {pid, release, running} = await holdExclusively(place, repository);
		const owner = new RegExp(`is locked exclusively by PID ${pid} on .+ since \\d{4}-\\d\\d-\\d\\d .* UTC`);
		await fails(t, restic.backupFiles({...stamp, path: data}), 'locked', owner);
		await fails(t, restic.backupStream({...stamp, filename: '/t/d', command: ['echo']}), 'locked', owner);
		await fails(t, restic.snapshots(), 'locked', owner);
		await restic.unlock();
		const [lock, ...others] = await restic.locks();
		t.is(others.length, 0);
		t.like(lock, {exclusive: true, pid});
		t.true(Math.abs((lock?.time.getTime() ?? 0) - Date.now()) < 60_000);
		t.regex(await restic.id(), /^[0-9a-f]{64}$/);
		release();
		await running.done;
		t.deepEqual(await restic.locks(), []);
	});
});

test('patience outlasts a short lock, and a dump is not disturbed by it', async t => {
	await withScratch(async ({data, place, repository}) => {
		const patient = createRestic(place, repository, {lockPatienceSeconds: 60});
		await writeFile(path.join(data, 'a'), 'a');
		const {release, running} = await holdExclusively(place, repository);
		const saving = patient.backupFiles({...stamp, path: data});
		t.is(await Promise.race([saving, running.done, new Promise(resolve => setTimeout(resolve, 1500, 'waiting'))]), 'waiting');
		release();
		const {snapshot} = await saving;
		const dump = await patient.dump(snapshot, path.join(data, 'a'));
		const chunks: string[] = [];
		for await (const chunk of dump.stdout) {
			chunks.push(String(chunk));
		}

		await dump.done;
		t.is(chunks.join(''), 'a');
	});
});

test('a restic that was killed shuts out forget until its lock is removed as stale', async t => {
	await withScratch(async ({data, restic}) => {
		await writeFile(path.join(data, 'a'), 'a');
		const {snapshot} = await restic.backupFiles({...stamp, path: data});
		const controller = new AbortController();
		const killed = restic.backupFiles({
			...stamp,
			path: data,
			signal: controller.signal,
			hold: {held: () => controller.abort(new Error('killed')), go: new Promise(() => {})},
		});
		await t.throwsAsync(killed, {message: 'killed'});
		await fails(t, restic.forget([snapshot]), 'locked', /is locked by PID/);
		await t.notThrowsAsync(restic.backupFiles({...stamp, path: data}));
		// A dead process counts as alive until its parent has taken note of its end.
		await until('the lock is removed as stale', async () => {
			await restic.unlock();
			return (await restic.locks()).length === 0;
		});
		await restic.forget([snapshot]);
		t.is((await restic.snapshots()).length, 1);
	});
});

test('a full disk is an error of its own', async t => {
	await withScratch(
		async ({folder, data, place, repository}) => {
			const small = path.join(folder, 'small');
			await mkdir(small);
			await succeed(here, {argv: ['mount', '-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', small]});
			try {
				const restic = createRestic(place, {...repository, location: path.join(small, 'repository')});
				await restic.init();
				await succeed(here, {argv: ['sh', '-c', 'head -c 20000000 /dev/urandom > "$1"', 'sh', path.join(data, 'big')]});
				await fails(t, restic.backupFiles({...stamp, path: data}), 'full', /is full: .*no space left on device/);
				await fails(t, restic.backupStream({...stamp, filename: '/t/d', command: ['cat', path.join(data, 'big')]}), 'full', /is full/);
				t.deepEqual(await restic.snapshots(), []);
			} finally {
				await execa('umount', ['--lazy', small]);
			}
		},
		{init: false},
	);
});

test('a repository that gives no answer is unreachable, and its credentials stay hidden', async t => {
	await withScratch(
		async ({place, repository}) => {
			const location = 'rest:http://someone:canary-in-url@127.0.0.1:1/x';
			const restic = createRestic(place, {...repository, location}, {answerWithinMs: 3000});
			const error = await t.throwsAsync(restic.id(), {instanceOf: RepositoryError});
			t.is(error?.problem, 'unreachable');
			t.regex(error?.message ?? '', /rest:http:\/\/127\.0\.0\.1:1\/x/);
			t.false(JSON.stringify([error?.message, error?.stack, error?.hint]).includes('canary-in-url'));
		},
		{init: false},
	);
});

test('secrets are in no argument of restic and of what it starts', async t => {
	await withScratch(async ({restic}) => {
		const command = ['sh', '-c', 'cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\\000" " "'] as const;
		const {snapshot} = await restic.backupStream({...stamp, filename: '/t/d', command});
		const running = await restic.dump(snapshot, '/t/d');
		let shown = '';
		for await (const chunk of running.stdout) {
			shown += String(chunk);
		}

		await running.done;
		t.true(shown.includes('--stdin-from-command'));
		t.false(shown.includes(password));
	});
});
