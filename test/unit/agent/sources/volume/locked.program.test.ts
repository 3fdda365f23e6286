/** What nobody may change: the program that runs in the worker, run here. */
import {chmod, mkdir, mkdtemp, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {execa} from 'execa';
import {lossesOfLocked} from '../../../../../agent/sources/volume/attributes.ts';
import {here} from '../../../../../base/here.ts';

const program = fileURLToPath(new URL('../../../../../agent/sources/volume/locked.program.ts', import.meta.url));

test('what is immutable, or may only be appended to, is named, but for what is left alone', async t => {
	const root = await mkdtemp(join(tmpdir(), 'holdfast-locked-'));
	const chattr = async (sign: '+' | '-', ...names: string[]) =>
		execa('chattr', [`${sign}i`, ...names.map(name => join(root, name))], {reject: false});
	const locked = ['file', 'deep/er/file', 'cache/file', 'folder', '.volume.holdfast-before-x/file'];
	t.teardown(async () => {
		await chattr('-', ...locked);
		await rm(root, {recursive: true, force: true});
	});
	for (const folder of ['deep/er', 'cache', 'folder', '.volume.holdfast-before-x']) {
		await mkdir(join(root, folder), {recursive: true});
	}

	for (const file of ['file', 'free', 'deep/er/file', 'cache/file', '.volume.holdfast-before-x/file']) {
		await writeFile(join(root, file), 'x');
	}

	await symlink('file', join(root, 'link'));
	await chmod(join(root, 'free'), 0);
	const look = async (): Promise<unknown> => {
		const {stdout} = await execa(process.execPath, [
			'--disable-warning=ExperimentalWarning',
			program,
			root,
			JSON.stringify(['/cache', '/**/.*.holdfast-*']),
		]);
		return JSON.parse(stdout);
	};
	t.deepEqual(await look(), {locked: []});
	const {failed} = await chattr('+', ...locked);
	if (failed) {
		t.log('this file system, or this user, can make nothing immutable');
		return;
	}

	const told = await lossesOfLocked(
		{name: 'volume:/data', path: root, exclude: ['/cache', '/deep', '/**/.*.holdfast-*']},
		{worker: here, signal: new AbortController().signal},
	);
	t.regex(told.join(), /^`volume:\/data`: no point keeps what `chattr` says, as of (?:`file`, `folder`|`folder`, `file`) /);

	const said = (await look()) as {locked: string[]};
	t.deepEqual([...said.locked].sort(), ['deep/er/file', 'file', 'folder']);

	await chattr('-', ...locked);
	await execa('chattr', ['+a', join(root, 'free')]);
	t.teardown(async () => execa('chattr', ['-a', join(root, 'free')], {reject: false}));
	t.deepEqual(await look(), {locked: ['free']});

	await execa('chattr', ['-a', join(root, 'free')]);
	const folders = ['deep', 'cache'].map(name => join(root, name));
	await execa('chattr', ['+a', ...folders]);
	t.teardown(async () => execa('chattr', ['-a', ...folders], {reject: false}));
	t.deepEqual(await look(), {locked: ['deep']});
});
