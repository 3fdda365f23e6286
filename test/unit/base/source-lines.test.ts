import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import test from 'ava';
import {build} from 'esbuild';
import {inSources} from '../../../base/source-lines.ts';

test('what has a map is named by its source, and everything else stays as it is', async t => {
	const folder = await mkdtemp(join(tmpdir(), 'holdfast-lines-'));
	t.teardown(async () => rm(folder, {recursive: true}));
	await writeFile(join(folder, 'thing.ts'), 'interface Gone {}\n\nexport const fail = (): never => {\n\tthrow new Error("no");\n};\n');
	await build({
		entryPoints: [join(folder, 'thing.ts')],
		outfile: join(folder, 'out/thing.js'),
		format: 'esm',
		sourcemap: 'external',
		minifyWhitespace: true,
	});
	const {fail} = (await import(pathToFileURL(join(folder, 'out/thing.js')).href)) as {fail: () => never};
	const {stack = ''} = t.throws(fail) ?? {};
	t.regex(inSources(stack), /at fail \(thing\.ts:4:\d+\)/);
	t.is(inSources('at other (file:///nowhere/thing.js:1:2)'), 'at other (file:///nowhere/thing.js:1:2)');
	t.is(inSources('no stack'), 'no stack');
});
