/** What patterns of `exclude` do that nobody can have meant: they name nothing, or all that is there. */
import {mkdir, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {leftOut, warningsOfSpaces} from '../../../../../agent/sources/volume/exclusions.ts';
import {here} from '../../../../../base/here.ts';
import {temporaryFolder} from '../../../../support/temporary-folder.ts';

const context = {worker: here, signal: new AbortController().signal};

async function folder(t: ExecutionContext, ...files: readonly string[]): Promise<string> {
	const path = temporaryFolder(t, {name: 'exclusions [1]'});
	for (const file of files) {
		await mkdir(join(path, file, '..'), {recursive: true});
		await writeFile(join(path, file), 'content');
	}

	return path;
}

test('a pattern with spaces is told where its names are there and it is not', async t => {
	const path = await folder(t, 'cache/a', 'My Files/b', 'Files');
	const warnings = async (...patterns: string[]) => warningsOfSpaces({name: 'volume:/data', path, patterns}, context);
	t.deepEqual(await warnings('cache logs', '*.tmp'), [
		'`volume:/data`: "cache logs" leaves nothing out, as no file is called so; to leave out several, separate them by commas: `holdfast.exclude: cache,logs`',
	]);
	t.deepEqual(await warnings('/cache /logs'), [
		'`volume:/data`: "/cache /logs" leaves nothing out, as no file is called so; to leave out several, separate them by commas: `holdfast.exclude: /cache,/logs`',
	]);
	t.deepEqual(await warnings('My Files', '/My Files', 'not there', 'My\\ Files', 'cache'), []);
});

test('of a folder of which nothing was taken, one file that the label left out is named; folders, and what is left out for other reasons, are none', async t => {
	const path = await folder(t, 'deep/\n[a]', 'mounted/b', 'own.db', '.volume.holdfast-before-x/c', 'empty/x');
	await rm(join(path, 'empty/x'));
	const escaped = path.replaceAll(/[[\]]/g, '\\$&');
	const spared = ['mounted/*', 'own.db'].map(pattern => `${escaped}/${pattern}`);
	t.is(await leftOut({path, spared}, context), 'deep/\n[a]');
	await rm(join(path, 'deep'), {recursive: true});
	t.is(await leftOut({path, spared}, context), undefined);
	t.regex((await leftOut({path, spared: []}, context)) ?? '', /^(?:mounted\/b|own\.db)$/);
});
