/** What restic restores into a folder, and what it leaves alone there. Lane: waits. */
import {mkdir, readdir, readFile, rm, stat, symlink, truncate, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {text} from 'node:stream/consumers';
import test from 'ava';
import {execa} from 'execa';
import {escapePattern} from '../../../agent/restic/argv.ts';
import {createRestic} from '../../../agent/restic/create.ts';
import {RepositoryError} from '../../../base/errors.ts';
import {stamp, withScratch} from '../../support/doubles/scratch-repository.ts';
import {placeWithRestic} from '../../support/machine/restic.ts';

for (const name of ['plain', 'with:colon', '--target=x', '[a]*?', 'a b\nc', ':/x']) {
	test(`a folder called ${JSON.stringify(name)} is restored, and only it`, async t => {
		await withScratch(async ({data, folder, restic}) => {
			const wanted = path.join(data, name);
			await mkdir(path.join(wanted, 'below'), {recursive: true});
			await mkdir(path.join(data, 'other'), {recursive: true});
			await writeFile(path.join(wanted, 'below', 'f'), 'content');
			await writeFile(path.join(data, 'other', 'g'), 'other');
			const {snapshot} = await restic.backupFiles({...stamp, path: data});
			const into = path.join(folder, '--into:x');
			await mkdir(into);
			await writeFile(path.join(into, 'left over'), '');
			await restic.restore({snapshot, subfolder: wanted, into, delete: false});
			t.deepEqual((await readdir(into)).sort(), ['below', 'left over']);
			await restic.restore({snapshot, subfolder: wanted, into, delete: true});
			t.deepEqual(await readdir(into), ['below']);
			t.is(await readFile(path.join(into, 'below', 'f'), 'utf8'), 'content');
		});
	});
}

test('the holes of a file take no room where the file is new, and all of it where one is there: told before', async t => {
	await withScratch(async ({data, folder, restic}) => {
		const size = 32 * 1024 ** 2;
		for (const name of ['fresh', 'over', 'same']) {
			await writeFile(path.join(data, name), name);
			await truncate(path.join(data, name), size);
		}

		const {snapshot} = await restic.backupFiles({...stamp, path: data});
		const into = path.join(folder, 'into');
		await execa('cp', ['--archive', '--sparse=always', data, into]);
		await rm(path.join(into, 'fresh'));
		await writeFile(path.join(into, 'over'), 'short');
		const restore = {snapshot, subfolder: data, into, delete: true};
		t.deepEqual(await restic.room(restore), {fresh: size, over: size});
		await restic.restore(restore);
		const held = async (name: string) => (await stat(path.join(into, name))).blocks * 512;
		t.true((await held('fresh')) < size / 8);
		t.true((await held('over')) >= size);
		t.true((await held('same')) < size / 8);
		const {stdout} = await execa('diff', ['--recursive', data, into], {reject: false});
		t.is(stdout, '');
	});
});

test('what is excluded is neither written nor deleted', async t => {
	await withScratch(async ({data, folder, restic}) => {
		await writeFile(path.join(data, 'a'), 'a');
		await writeFile(path.join(data, 'b'), 'b');
		const {snapshot} = await restic.backupFiles({...stamp, path: data});
		const into = path.join(folder, 'into');
		await mkdir(into);
		await writeFile(path.join(into, 'b'), 'mine');
		await writeFile(path.join(into, 'c'), 'mine');
		await restic.restore({snapshot, subfolder: data, into, delete: true, exclude: ['/b', '/c']});
		t.deepEqual((await readdir(into)).sort(), ['a', 'b', 'c']);
		t.is(await readFile(path.join(into, 'b'), 'utf8'), 'mine');
	});
});

test('a folder that is empty in the snapshot is empty afterwards', async t => {
	await withScratch(async ({data, folder, restic}) => {
		await mkdir(path.join(data, 'empty'));
		await writeFile(path.join(data, 'a'), 'a');
		const {snapshot} = await restic.backupFiles({...stamp, path: data});
		const into = path.join(folder, 'into');
		await mkdir(path.join(into, 'left', 'over'), {recursive: true});
		await writeFile(path.join(folder, 'outside'), '');
		await symlink(path.join(folder, 'outside'), path.join(into, 'link'));
		const subfolder = path.join(data, 'empty');
		await t.throwsAsync(restic.restore({snapshot, subfolder, into, delete: true, exclude: ['*.x']}), {message: /by hand/});
		await restic.restore({snapshot, subfolder, into, delete: false});
		t.is((await readdir(into)).length, 2);
		await restic.restore({snapshot, subfolder, into, delete: true});
		t.deepEqual(await readdir(into), []);
		t.true((await readdir(folder)).includes('outside'));
	});
});

test('a folder that is already as the snapshot has it stays so, and what is too much goes', async t => {
	await withScratch(async ({data, folder, restic}) => {
		await writeFile(path.join(data, 'a'), 'a');
		await writeFile(path.join(data, 'b'), 'b');
		const {snapshot} = await restic.backupFiles({...stamp, path: data});
		const into = path.join(folder, 'into');
		await mkdir(into);
		const restore = {snapshot, subfolder: data, into, delete: true};
		await restic.restore(restore);
		await restic.restore(restore);
		t.deepEqual((await readdir(into)).sort(), ['a', 'b']);
		await writeFile(path.join(into, 'c'), '');
		await restic.restore(restore);
		t.deepEqual((await readdir(into)).sort(), ['a', 'b']);
	});
});

test('times tell what differs, but for a file that was dated back; then they tell less than content', async t => {
	await withScratch(async ({data, folder, restic}) => {
		for (const name of ['same', 'grown', 'gone', 'dated back']) {
			await writeFile(path.join(data, name), 'content');
		}

		const {snapshot} = await restic.backupFiles({...stamp, path: data});
		const into = path.join(folder, 'into');
		await mkdir(into);
		const restore = {snapshot, subfolder: data, into, delete: true};
		await restic.restore(restore);
		const bytes = async (byTimes: boolean) => (await restic.changes({...restore, byTimes})).bytes;
		t.deepEqual([await bytes(false), await bytes(true)], [0, 0]);

		await writeFile(path.join(into, 'grown'), 'content and more');
		await rm(path.join(into, 'gone'));
		await writeFile(path.join(into, 'too much'), '');
		t.is(await bytes(true), 14);
		t.is(await bytes(false), 14);

		// To the nanosecond, which Node cannot
		await writeFile(path.join(into, 'dated back'), 'CONTENT');
		await execa('touch', ['-r', path.join(data, 'dated back'), path.join(into, 'dated back')]);
		t.is(await bytes(true), 14);
		t.is(await bytes(false), 21);

		await restic.restore({...restore, byTimes: true, unlocked: true});
		t.deepEqual((await readdir(into)).sort(), ['dated back', 'gone', 'grown', 'same']);
		t.is(await readFile(path.join(into, 'grown'), 'utf8'), 'content');
		t.is(await readFile(path.join(into, 'dated back'), 'utf8'), 'CONTENT');
		await restic.restore(restore);
		t.is(await readFile(path.join(into, 'dated back'), 'utf8'), 'content');
	});
});

test('a folder of which all is excluded is no empty one', async t => {
	await withScratch(async ({data, folder, restic}) => {
		await writeFile(path.join(data, 'a'), 'a');
		const {snapshot} = await restic.backupFiles({...stamp, path: data});
		const into = path.join(folder, 'into');
		await mkdir(into);
		await writeFile(path.join(into, 'a'), 'mine');
		await writeFile(path.join(into, 'b'), 'gone');
		await mkdir(path.join(into, 'kept [x]', 'below'), {recursive: true});
		await mkdir(path.join(into, 'gone', 'below'), {recursive: true});
		await writeFile(path.join(into, 'kept [x]', 'below', 'c'), 'mine');
		await restic.restore({snapshot, subfolder: data, into, delete: true, exclude: ['/a', escapePattern('/kept [x]')]});
		t.deepEqual((await readdir(into, {recursive: true})).sort(), ['a', 'kept [x]', 'kept [x]/below', 'kept [x]/below/c']);
	});
});

test('a folder that the snapshot does not have is an error', async t => {
	await withScratch(async ({data, folder, restic}) => {
		await writeFile(path.join(data, 'a'), 'a');
		const {snapshot} = await restic.backupFiles({...stamp, path: data});
		const into = path.join(folder, 'into');
		await mkdir(into);
		await writeFile(path.join(into, 'kept'), '');
		await t.throwsAsync(restic.restore({snapshot, subfolder: path.join(data, 'nothing'), into, delete: true}), {
			instanceOf: RepositoryError,
			message: /not found/,
		});
		t.deepEqual(await readdir(into), ['kept']);
	});
});

test('a dump of what is not there is an error', async t => {
	await withScratch(async ({data, restic}) => {
		await writeFile(path.join(data, 'a'), 'a');
		const {snapshot} = await restic.backupFiles({...stamp, path: data});
		const running = await restic.dump(snapshot, path.join(data, 'b'));
		t.is(await text(running.stdout), '');
		await t.throwsAsync(running.done, {instanceOf: RepositoryError, message: /not found in snapshot/});
	});
});

test('a damaged pack is an error of dump and restore', async t => {
	await withScratch(async ({data, folder, repository, restic}) => {
		await writeFile(path.join(data, 'a'), Buffer.alloc(100_000, 'abc'));
		const {snapshot} = await restic.backupFiles({...stamp, path: data});
		const packs = path.join(repository.location, 'data');
		for (const entry of await readdir(packs, {recursive: true, withFileTypes: true})) {
			if (entry.isFile()) {
				const file = path.join(entry.parentPath, entry.name);
				const content = await readFile(file);
				await writeFile(
					file,
					content.map(byte => byte ^ 1),
				).catch(() => t.fail('packs can be overwritten by root'));
			}
		}

		const running = await restic.dump(snapshot, path.join(data, 'a'));
		running.stdout.resume();
		await t.throwsAsync(running.done, {instanceOf: RepositoryError});
		const into = path.join(folder, 'into');
		await mkdir(into);
		await t.throwsAsync(restic.restore({snapshot, subfolder: data, into, delete: false}), {instanceOf: RepositoryError});
	});
});

test('forgotten snapshots are gone, and others are not', async t => {
	await withScratch(async ({data, restic}) => {
		await writeFile(path.join(data, 'a'), 'a');
		const ids: string[] = [];
		for (let index = 0; index < 3; index++) {
			ids.push((await restic.backupFiles({...stamp, path: data})).snapshot);
		}

		const [first = '', second = '', third] = ids;
		await restic.forget([first, second]);
		t.deepEqual(
			(await restic.snapshots()).map(({id}) => id),
			[third],
		);
		await restic.forget([]);
		await restic.forget([first]);
		t.is((await restic.snapshots()).length, 1);
	});
});

test('where a file system refuses owners, all else is restored, and what is lost is said', async t => {
	await withScratch(async ({data, folder, restic, repository}) => {
		await mkdir(path.join(data, 'sub'));
		await writeFile(path.join(data, 'sub', 'a'), 'content');
		await symlink('nowhere', path.join(data, 'link'));
		await execa('chown', ['--no-dereference', '1234:4321', path.join(data, 'sub', 'a'), path.join(data, 'link')]);
		await execa('touch', ['--date=2001-02-03', path.join(data, 'sub', 'a')]);
		const {snapshot} = await restic.backupFiles({...stamp, path: data});
		const into = path.join(folder, 'into');
		await mkdir(into);
		// As the kernel answers for CIFS, or NFS that squashes root.
		const refused = createRestic(await placeWithRestic(['setpriv', '--bounding-set=-chown']), repository, {lockPatienceSeconds: 0});
		const unset = await refused.restore({snapshot, subfolder: data, into, delete: true});
		t.is(unset?.count, 2);
		t.regex(unset?.what ?? '', /^the owner of \/(?:sub\/a|link)$/);
		t.is(await readFile(path.join(into, 'sub', 'a'), 'utf8'), 'content');
		const {mtime, uid} = await stat(path.join(into, 'sub', 'a'));
		t.deepEqual([mtime.getFullYear(), uid], [2001, 0]);
	});
});

test('of several folders only what is in them is listed, and one that is not there is none', async t => {
	await withScratch(async ({data, restic}) => {
		await mkdir(path.join(data, 'a', 'b', 'c'), {recursive: true});
		await writeFile(path.join(data, 'a', 'b', 'f'), '');
		await symlink('a', path.join(data, 'link'));
		const {snapshot} = await restic.backupFiles({...stamp, path: data});
		const found: string[] = [];
		await restic.list({
			snapshot,
			folder: data,
			only: [data, `${data}/a/b`, `${data}/none`, `${data}/link/b`],
			onEntry: ({path: entry, type}) => found.push(`${entry} ${type}`),
		});
		t.deepEqual(found.toSorted(), ['a dir', 'a/b dir', 'a/b/c dir', 'a/b/f file', 'link symlink']);
	});
});

test('nothing is left in a folder of which the point has nothing, but what matches; two stars stand for no folder, too', async t => {
	await withScratch(async ({data, folder, restic}) => {
		await mkdir(path.join(data, 'empty'));
		await writeFile(path.join(data, 'a'), 'a');
		const {snapshot} = await restic.backupFiles({...stamp, path: data});
		const into = path.join(folder, 'into');
		await mkdir(path.join(into, 'sub'), {recursive: true});
		for (const name of ['top.log', 'sub/deep.log', 'sub/gone', 'gone']) {
			await writeFile(path.join(into, name), '');
		}

		await restic.restore({snapshot, subfolder: path.join(data, 'empty'), into, delete: true, exclude: ['/**/*.log']});
		t.deepEqual((await readdir(into, {recursive: true})).sort(), ['sub', 'sub/deep.log', 'top.log']);
	});
});
