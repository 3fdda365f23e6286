/** What a server loads takes the place of what it had; killed at any rename, an undo finds back. */
import {existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import type {Laid} from '../../../../../agent/sources/valkey/files.program.ts';
import {succeed} from '../../../../../base/command.ts';
import {here} from '../../../../../base/here.ts';

const program = new URL('../../../../../agent/sources/valkey/files.program.ts', import.meta.url).pathname;

/** @param before what the program is run by */
function scene(laid: Partial<Laid> = {}, before: readonly string[] = []) {
	const folder = mkdtempSync(join(tmpdir(), 'holdfast-valkey-'));
	const [fresh, old] = [join(folder, '.fresh'), join(folder, '.old')];
	const all: Laid = {
		files: {saved: 'dump.rdb', appended: 'appendonlydir', appendedFile: 'appendonly.aof'},
		uid: process.getuid?.() ?? 0,
		gid: process.getgid?.() ?? 0,
		isAppending: true,
		isMultiPart: true,
		...laid,
	};
	const run = async (...argv: string[]) =>
		JSON.parse(await succeed(here, {argv: [...before, 'node', '--disable-warning=ExperimentalWarning', program, ...argv] as never})) as {
			error?: string;
			folder?: string;
		};
	return {
		folder,
		fresh,
		old,
		verb: async (verb: string) => run(verb, folder, fresh, old, JSON.stringify(all)),
		run,
		live: () => ({
			saved: existsSync(join(folder, 'dump.rdb')) ? readFileSync(join(folder, 'dump.rdb'), 'utf8') : undefined,
			appended: existsSync(join(folder, 'appendonlydir')) ? readdirSync(join(folder, 'appendonlydir')).toSorted() : undefined,
		}),
	};
}

function fill(folder: string, fresh: string) {
	writeFileSync(join(folder, 'dump.rdb'), 'old');
	mkdirSync(join(folder, 'appendonlydir'));
	writeFileSync(join(folder, 'appendonlydir', 'theirs'), 'old');
	mkdirSync(fresh);
	writeFileSync(join(fresh, 'download'), 'new');
}

test('an append-only file begins with what was saved: no newer one is there to win', async t => {
	const {folder, fresh, old, verb, live} = scene();
	fill(folder, fresh);
	for (const each of ['lay', 'swap', 'swap', 'whole']) {
		t.deepEqual(await verb(each), {});
	}

	t.deepEqual(live(), {saved: 'new', appended: ['appendonly.aof.1.base.rdb', 'appendonly.aof.manifest']});
	t.is(readFileSync(join(folder, 'appendonlydir/appendonly.aof.manifest'), 'utf8'), 'file "appendonly.aof.1.base.rdb" seq 1 type b\n');
	t.deepEqual(await verb('undo'), {});
	t.deepEqual(live(), {saved: 'old', appended: ['theirs']});
	t.deepEqual([existsSync(fresh), existsSync(old)], [false, false]);
	t.deepEqual(await verb('undo'), {});
	t.deepEqual(live(), {saved: 'old', appended: ['theirs']});
	rmSync(folder, {recursive: true});
});

test('before 7.0 it is one file; without one, none is made', async t => {
	const single = scene({isMultiPart: false});
	mkdirSync(single.fresh);
	writeFileSync(join(single.fresh, 'download'), 'new');
	await single.verb('lay');
	await single.verb('swap');
	t.is(readFileSync(join(single.folder, 'appendonly.aof'), 'utf8'), 'new');
	const none = scene({isAppending: false});
	mkdirSync(none.fresh);
	writeFileSync(join(none.fresh, 'download'), 'new');
	await none.verb('lay');
	await none.verb('swap');
	t.deepEqual(readdirSync(none.folder).toSorted(), ['.old', 'dump.rdb']);
	await none.verb('undo');
	t.deepEqual(readdirSync(none.folder), []);
	for (const {folder} of [single, none]) {
		rmSync(folder, {recursive: true});
	}
});

test('a swap that was killed between two renames is undone; what is half is not let go', async t => {
	const {folder, fresh, old, verb, live} = scene();
	fill(folder, fresh);
	await verb('lay');
	mkdirSync(old);
	renameSync(join(folder, 'dump.rdb'), join(old, 'dump.rdb'));
	t.regex((await verb('whole')).error ?? '', /not all there/);
	await verb('undo');
	t.deepEqual(live(), {saved: 'old', appended: ['theirs']});
	rmSync(folder, {recursive: true});
});

test('an undo that was killed between two renames goes on, and removes nothing that was put back', async t => {
	const {folder, fresh, old, verb, live} = scene();
	fill(folder, fresh);
	await verb('lay');
	await verb('swap');
	// As far as an undo may have come: what was restored is gone, one of the old ones is back.
	rmSync(join(folder, 'dump.rdb'));
	rmSync(join(folder, 'appendonlydir'), {recursive: true});
	rmSync(join(old, '.moved'));
	renameSync(join(old, 'dump.rdb'), join(folder, 'dump.rdb'));
	await verb('undo');
	t.deepEqual(live(), {saved: 'old', appended: ['theirs']});
	rmSync(folder, {recursive: true});
});

test('a folder that is a link out of its mount is refused', async t => {
	const {folder, run} = scene();
	t.is((await run('place', folder, folder)).folder, folder);
	t.regex((await run('place', folder, tmpdir())).error ?? '', /leads out of its mount/);
	rmSync(folder, {recursive: true});
});

/** As file systems of networks do it: nobody may give a file away. */
const ownerless = ['setpriv', '--bounding-set=-chown', '--'];

test('where the file system refuses owners, what the server can read all the same is laid there, and else it is said', async t => {
	const other = {uid: 4711, gid: 4711};
	const open = scene({...other, isAppending: false}, ownerless);
	mkdirSync(open.fresh);
	writeFileSync(join(open.fresh, 'download'), 'new', {mode: 0o644});
	t.deepEqual(await open.verb('lay'), {});
	t.is(statSync(join(open.fresh, 'dump.rdb')).mode & 0o777, 0o644);
	const shut = scene(other, ownerless);
	mkdirSync(shut.fresh);
	writeFileSync(join(shut.fresh, 'download'), 'new', {mode: 0o644});
	t.regex((await shut.verb('lay')).error ?? '', /cannot be given to user 4711.*refuses owners/);
	for (const {folder} of [open, shut]) {
		rmSync(folder, {recursive: true});
	}
});
