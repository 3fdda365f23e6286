import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import test from 'ava';
import {inSources} from '../../../base/source-lines.ts';
import {temporaryFolder} from '../../support/temporary-folder.ts';

/** Line 4, column 2 of the source is column 1 of what was made of it. */
const map = {version: 3, sources: ['../../agent/thing.ts'], names: [], mappings: 'AAGC'};

test('what has a map is named by its source, and everything else stays as it is', async t => {
	const folder = temporaryFolder(t);
	await writeFile(join(folder, 'thing.js.map'), JSON.stringify(map));
	const file = pathToFileURL(join(folder, 'thing.js')).href;
	t.is(
		inSources(`Error: no\n    at fail (${file}:1:1)\n    at ${file}:1:1`),
		'Error: no\n    at fail (agent/thing.ts:4:2)\n    at agent/thing.ts:4:2',
	);
	t.is(inSources('at other (file:///nowhere/thing.js:1:2)'), 'at other (file:///nowhere/thing.js:1:2)');
	t.is(inSources('no stack'), 'no stack');
});
