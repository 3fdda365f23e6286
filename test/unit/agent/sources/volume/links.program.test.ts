/** Names of files that have others: the program that runs in the worker, run here. */
import {link, mkdir, readdir, readFile, symlink, writeFile} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import {temporaryFolder} from '../../../../support/temporary-folder.ts';

const program = fileURLToPath(new URL('../../../../../agent/sources/volume/links.program.ts', import.meta.url));

async function makeRoot(t: ExecutionContext): Promise<string> {
	const root = temporaryFolder(t);
	await mkdir(join(root, 'folder'));
	await writeFile(join(root, 'one'), 'content');
	return root;
}

const part = async (root: string, paths: readonly string[]): Promise<{error?: string}> => {
	const input = paths.map(path => `${path}\0`).join('');
	const {stdout} = await execa(process.execPath, ['--disable-warning=ExperimentalWarning', program, root], {input});
	return JSON.parse(stdout) as {error?: string};
};

test('a name goes where the file has another, and the other keeps it', async t => {
	const root = await makeRoot(t);
	await link(join(root, 'one'), join(root, 'folder', 'new\nline'));
	await writeFile(join(root, 'alone'), 'mine');
	t.deepEqual(await part(root, ['folder/new\nline', 'alone', 'missing/too', 'folder', 'one']), {});
	t.deepEqual(await readdir(join(root, 'folder')), []);
	t.deepEqual((await readdir(root)).sort(), ['alone', 'folder', 'one'], 'the last name of a file stays');
	t.is(await readFile(join(root, 'one'), 'utf8'), 'content');
});

test('names that are not UTF-8 are known by what is shown of them', async t => {
	const root = await makeRoot(t);
	const folder = Buffer.concat([Buffer.from(`${root}/caf`), Buffer.from([0xe9])]);
	await mkdir(folder);
	await link(join(root, 'one'), Buffer.concat([folder, Buffer.from('/lat'), Buffer.from([0xff, 0xfe])]));
	await link(join(root, 'one'), Buffer.concat([folder, Buffer.from('/other'), Buffer.from([0xff])]));
	t.deepEqual(await part(root, ['caf\uFFFD/lat\uFFFD\uFFFD']), {});
	t.deepEqual((await readdir(folder, {encoding: 'buffer'})).map(String), ['other\uFFFD']);
});

test('nothing behind a link is touched', async t => {
	const root = await makeRoot(t);
	const outside = await makeRoot(t);
	await link(join(outside, 'one'), join(outside, 'two'));
	await symlink(outside, join(root, 'away'));
	await symlink(join(outside, 'one'), join(root, 'to'));
	t.deepEqual(await part(root, ['away/one', 'to', `../${basename(outside)}/one`]), {});
	t.deepEqual((await readdir(outside)).sort(), ['folder', 'one', 'two']);
});

test('however many are named', async t => {
	const root = await makeRoot(t);
	await link(join(root, 'one'), join(root, 'last'));
	const many = Array.from({length: 20_000}, (_, count) => `folder/file-${count}`);
	t.deepEqual(await part(root, [...many, 'last']), {});
	t.deepEqual((await readdir(root)).sort(), ['folder', 'one']);
});
