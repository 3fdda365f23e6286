/** The entries of a volume change places: killed at every step of it, run here. */
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import {chown, mkdir, rm, symlink, utimes, writeFile} from 'node:fs/promises';
import {syncBuiltinESMExports} from 'node:module';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {perform} from '../../../../../agent/sources/volume/entries.program.ts';
import {temporaryFolder} from '../../../../support/temporary-folder.ts';

const run = '20261129t200000-0a1b2c3';
/** Each step goes to the disk: in memory that takes no time. */
const place = fs.existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const exclude = ['/cache', '/deep/*.log', '/**/.thumbs'];
const [fresh, old] = [`.volume.holdfast-restore-${run}`, `.volume.holdfast-before-${run}`];

/** Paths with their modes, times, links and content. Not the times of folders below, out of which and into which something was moved. */
function picture(root: string): string[] {
	const script = `cd "$0"; find . -printf '%p|%y|%m|%l|' '(' '(' -path . -o -type f ')' -printf '%T@\\n' -o -printf '\\n' ')' | sed 's/\\([.][0-9]\\{6\\}\\)[0-9]*$/\\1/' | sort; find . -type f -print0 | sort -z | xargs -0r sha256sum`;
	return execFileSync('sh', ['-c', script, root], {encoding: 'utf8'}).split('\n');
}

/** The time of the root says when something of a restore was put into it. */
const undated = (lines: readonly string[]): string[] =>
	lines.map(line => line.replace(/^(\.[|]d[|]\d+[|]).*/, '$1')).filter(line => !line.includes(run));

const past = new Date('2001-02-03T04:05:06.789Z');

async function fill(root: string, word: string, mode: string): Promise<void> {
	await mkdir(join(root, 'deep', 'er'), {recursive: true});
	await mkdir(join(root, 'both'), {recursive: true});
	for (const name of ['file', 'both/file', 'deep/file', 'deep/er/file', `only-${word}`]) {
		await writeFile(join(root, name), `${word} ${name}`);
		await utimes(join(root, name), past, past);
	}

	await writeFile(Buffer.concat([Buffer.from(`${root}/raw-`), Buffer.from([0xe9])]), word);
	await symlink('/etc', join(root, 'link'));
	execFileSync('chmod', [mode, root]);
	await utimes(root, past, past);
}

/** A volume that holds `live`, beside it `point` loaded, and in it what is excluded, and what two other restores keep. */
async function scene(t: ExecutionContext) {
	const root = temporaryFolder(t, {within: place});
	await mkdir(join(root, fresh, 'data'), {recursive: true});
	await fill(join(root, fresh, 'data'), 'point', '2750');
	await mkdir(join(root, 'cache'));
	await mkdir(join(root, 'gone', '.thumbs'), {recursive: true});
	await mkdir(join(root, 'deep', '.thumbs'), {recursive: true});
	await mkdir(join(root, 'lost+found'));
	for (const name of [
		'cache/big',
		'deep/a.log',
		'deep/.thumbs/t',
		'gone/.thumbs/t',
		'deep/.app.db.holdfast-before-other',
		'.x.holdfast-before-other',
	]) {
		await writeFile(join(root, name), 'stays');
	}

	await fill(root, 'live', '1777');
	return root;
}

const perform1 = (verb: string, root: string) => perform(verb, root, {run, exclude});

const dies = new Error('killed');

const steps = [
	'renameSync',
	'mkdirSync',
	'writeFileSync',
	'rmSync',
	'rmdirSync',
	'chmodSync',
	'chownSync',
	'utimesSync',
	'fsyncSync',
] as const;

/** Dies before its n-th change. @returns whether it came that far */
function killedAt(n: number, work: () => void): boolean {
	const real = Object.fromEntries(steps.map(name => [name, fs[name]]));
	let count = 0;
	for (const name of steps) {
		Object.assign(fs, {
			[name](...args: unknown[]) {
				if (++count >= n) {
					throw dies;
				}

				return (real[name] as (...all: unknown[]) => unknown)(...args);
			},
		});
	}

	syncBuiltinESMExports();
	try {
		work();
		return false;
	} catch (error) {
		if (error !== dies) {
			throw error;
		}

		return true;
	} finally {
		Object.assign(fs, real);
		syncBuiltinESMExports();
	}
}

test.serial('what was loaded is live, what was live is kept, and what is excluded or kept by others stays', async t => {
	const root = await scene(t);
	const before = picture(root);
	t.notThrows(() => perform1('look', root));
	perform1('ready', root);
	t.deepEqual(perform1('swap', root), {left: []});
	const live = picture(root).filter(line => !line.includes(run));
	t.true(live.includes('./only-point|f|644||981173106.789000'));
	t.true(live.some(line => line.startsWith('.|d|2750||981173106.789')));
	t.deepEqual(
		live.filter(line => line.includes('only-live')),
		[],
	);
	for (const name of [
		'cache/big',
		'deep/a.log',
		'deep/.thumbs/t',
		'gone/.thumbs/t',
		'deep/.app.db.holdfast-before-other',
		'.x.holdfast-before-other',
		'lost+found',
	]) {
		t.true(fs.existsSync(join(root, name)), name);
	}

	t.true(fs.existsSync(join(root, old, 'only-live')));
	t.is(fs.statSync(join(root, old)).mode & 0o777, 0o700);
	await writeFile(join(root, 'cache', 'later'), 'stays');
	await writeFile(join(root, 'written'), 'since');
	perform1('undo', root);
	await rm(join(root, 'cache', 'later'));
	perform1('clear', root);
	t.deepEqual(undated(picture(root)), undated(before));
	t.is(
		picture(root).find(line => line.includes(run)),
		undefined,
	);
});

/** What is live is what was, and nothing of the run is left. @param n the call at which it was killed */
function assertAsBefore(t: ExecutionContext, root: string, {before, n}: {before: readonly string[]; n: number}): void {
	t.deepEqual(undated(picture(root)), before, `killed at ${n}`);
	t.is(
		picture(root).find(line => line.includes(run)),
		undefined,
		`killed at ${n}`,
	);
}

test.serial('whatever it is killed at, an undo brings back what was live, and leaves nothing', async t => {
	let isFar = true;
	for (let n = 1; isFar; n++) {
		const root = await scene(t);
		const before = undated(picture(root));
		perform1('ready', root);
		isFar = killedAt(n, () => perform1('swap', root));
		perform1('undo', root);
		perform1('undo', root);
		perform1('clear', root);
		assertAsBefore(t, root, {before, n});
		await rm(root, {recursive: true});
	}
});

test.serial('whatever an undo is killed at, another one ends it', async t => {
	let isFar = true;
	for (let n = 1; isFar; n++) {
		const root = await scene(t);
		const before = undated(picture(root));
		perform1('ready', root);
		perform1('swap', root);
		isFar = killedAt(n, () => {
			perform1('undo', root);
			perform1('clear', root);
		});
		perform1('undo', root);
		perform1('clear', root);
		assertAsBefore(t, root, {before, n});
		await rm(root, {recursive: true});
	}
});

test.serial('whatever a removal is killed at, another one ends it, and what is live is as it was', async t => {
	let isFar = true;
	for (let n = 1; isFar; n++) {
		const root = await scene(t);
		perform1('ready', root);
		perform1('swap', root);
		const after = undated(picture(root));
		isFar = killedAt(n, () => perform1('remove', root));
		perform1('remove', root);
		t.deepEqual(undated(picture(root)), after, `killed at ${n}`);
		t.is(
			picture(root).find(line => line.includes(run)),
			undefined,
			`killed at ${n}`,
		);
		await rm(root, {recursive: true});
	}
});

test.serial('what is half of all there is, is not let go', async t => {
	const root = await scene(t);
	perform1('ready', root);
	t.true(killedAt(12, () => perform1('swap', root)));
	t.throws(() => perform1('remove', root), {message: /half of it/});
	t.throws(() => perform1('clear', root), {message: /was not put back/});
});

test.serial('what other restores keep in what is taken away goes back to its place', async t => {
	const root = await scene(t);
	perform1('ready', root);
	perform1('swap', root);
	await writeFile(join(root, 'deep', 'er', '.file.holdfast-before-third'), 'stays');
	perform1('undo', root);
	perform1('clear', root);
	t.true(fs.existsSync(join(root, 'deep', 'er', '.file.holdfast-before-third')));
});

test.serial('a link in the way is not followed', async t => {
	const root = await scene(t);
	const elsewhere = temporaryFolder(t);
	const loaded = join(root, fresh, 'data', 'deep');
	await rm(loaded, {recursive: true});
	await symlink(elsewhere, loaded);
	perform1('ready', root);
	t.deepEqual(perform1('swap', root), {left: ['deep/.thumbs', 'deep/a.log', 'deep/.app.db.holdfast-before-other']});
	t.deepEqual(fs.readdirSync(elsewhere), []);
	t.throws(() => perform1('remove', root), {message: /kept|keeps/});
	perform1('undo', root);
	perform1('clear', root);
	t.true(fs.existsSync(join(root, 'deep', '.app.db.holdfast-before-other')));
});

/** Whatever is tried, and by whom. */
function refusing<Value>(name: string, code: string, work: () => Value): Value {
	const real = fs.renameSync;
	Object.assign(fs, {
		renameSync(from: Buffer | string, to: Buffer | string) {
			if (from.toString().endsWith(`/${name}`)) {
				throw Object.assign(new Error(`${code}: rename`), {code});
			}

			real(from, to);
		},
	});
	syncBuiltinESMExports();
	try {
		return work();
	} finally {
		Object.assign(fs, {renameSync: real});
		syncBuiltinESMExports();
	}
}

test.serial('what a file system refuses to rename is said, and an undo brings all back although it goes on refusing', async t => {
	for (const code of ['EXDEV', 'EBUSY', 'ENOTEMPTY']) {
		for (const name of ['deep', 'file', 'link', 'only-live', 'only-point']) {
			const root = await scene(t);
			const before = undated(picture(root));
			perform1('ready', root);
			refusing(name, code, () => {
				t.deepEqual(perform1('swap', root), {refused: `${name} (${code})`});
				perform1('undo', root);
				perform1('clear', root);
			});
			t.deepEqual(undated(picture(root)), before, `${name} ${code}`);
			await rm(root, {recursive: true});
		}
	}
});

test.serial('what cannot be renamed as one is said before', async t => {
	const root = temporaryFolder(t, {within: place});
	await writeFile(join(root, 'file'), '');
	t.deepEqual(perform1('look', join(root, 'file')), {why: 'it is a single file'});
	t.deepEqual(perform1('look', '/proc'), {why: 'its file system is not known to rename every folder'});
});

const asRoot = process.getuid?.() === 0 ? test.serial : test.serial.skip;

asRoot('whose the root is now, and whose it will be', async t => {
	const root = await scene(t);
	t.deepEqual(perform1('ready', root), {}, 'root writes all the same');
	await chown(root, 1000, 1000);
	t.deepEqual(perform1('ready', root), {owners: {now: 1000, again: 0}});
	await chown(join(root, fresh, 'data'), 1000, 0);
	t.deepEqual(perform1('ready', root), {});
});

test.serial('what is excluded and has no place any more goes neither with what was live nor with what was restored', async t => {
	for (const verb of ['remove', 'clear'] as const) {
		const root = await scene(t);
		await rm(join(root, fresh, 'data', 'deep'), {recursive: true});
		await writeFile(join(root, fresh, 'data', 'deep'), 'a file');
		perform1('ready', root);
		// What another restore keeps in there has no place either: that alone would stop it.
		await rm(join(root, 'deep', '.app.db.holdfast-before-other'));
		t.deepEqual((perform1('swap', root) as {left: string[]}).left.toSorted(), ['deep/.thumbs', 'deep/a.log']);
		if (verb === 'clear') {
			perform1('undo', root);
			await rm(join(root, 'gone', '.thumbs'), {recursive: true});
			await mkdir(join(root, `${fresh}.gone`, 'late', '.thumbs'), {recursive: true});
		}

		const aside = `.excluded.holdfast-before-${run}`;
		t.deepEqual(perform1(verb, root), {left: [aside]});
		t.deepEqual(fs.readdirSync(join(root, aside)), [verb === 'clear' ? 'late' : 'deep']);
		t.deepEqual(perform1(verb, root), {left: []}, 'again');
		t.deepEqual(
			fs.readdirSync(root).filter(name => name.includes(run)),
			[aside],
		);
	}
});
