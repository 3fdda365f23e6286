/** Folders in the way of files: the program that runs in the worker, run here. */
import {mkdir, readdir, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import {temporaryFolder} from '../../../../support/temporary-folder.ts';

const program = fileURLToPath(new URL('../../../../../agent/sources/volume/way.program.ts', import.meta.url));

async function makeRoot(t: ExecutionContext): Promise<string> {
	const root = temporaryFolder(t);
	await mkdir(join(root, 'data', 'full', 'deeper'), {recursive: true});
	await writeFile(join(root, 'data', 'full', 'deeper', 'file'), 'x');
	return root;
}

const take = async (root: string, run: string, paths: readonly string[]): Promise<{error?: string}> => {
	const {stdout} = await execa(process.execPath, ['--disable-warning=ExperimentalWarning', program, join(root, 'data'), run], {
		input: JSON.stringify(paths),
	});
	return JSON.parse(stdout) as {error?: string};
};

test('a folder that holds something is removed, or kept beside; what is no folder stays', async t => {
	const root = await makeRoot(t);
	await writeFile(join(root, 'data', 'file'), 'mine');
	t.deepEqual(await take(root, '', ['full/deeper', 'file', 'missing/too']), {});
	t.deepEqual(await readdir(join(root, 'data', 'full')), []);
	t.deepEqual(await take(root, '1a2b', ['full']), {});
	t.deepEqual((await readdir(join(root, 'data'))).sort(), ['.full.holdfast-before-1a2b', 'file']);
	t.deepEqual(await take(root, '1a2b', ['full']), {}, 'again');
});

test('nothing behind a link is touched', async t => {
	const root = await makeRoot(t);
	await mkdir(join(root, 'other', 'folder'), {recursive: true});
	await symlink('../other', join(root, 'data', 'link'));
	t.deepEqual(await take(root, '', ['link/folder', 'link']), {});
	t.deepEqual(await readdir(join(root, 'other')), ['folder']);
	t.deepEqual((await readdir(join(root, 'data'))).sort(), ['full', 'link']);
});

test('what an earlier restore keeps in there is not given up', async t => {
	const root = await makeRoot(t);
	await writeFile(join(root, 'data', 'full', 'deeper', '.app.db.holdfast-before-20261121t031502'), 'x');
	t.regex((await take(root, '', ['full'])).error ?? '', /full is in the way, and holds what an earlier restore keeps: deeper\/\.app\.db/);
	t.deepEqual(await readdir(join(root, 'data', 'full')), ['deeper']);
});
