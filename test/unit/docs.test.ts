/** What the pages say is what the program reads. */
import {readdir, readFile} from 'node:fs/promises';
import {basename} from 'node:path';
import test from 'ava';
import {parse} from 'yaml';
import {knownVariables} from '../../agent/config/known.ts';
import {knownServers} from '../../agent/sources/kinds.ts';
import {labelNames} from '../../agent/targets/label-names.ts';
import {parseLabels} from '../../agent/targets/labels.ts';

const page = await readFile(new URL('../../docs/labels.md', import.meta.url), 'utf8');

test('docs/labels.md has every label, each in one row, and no other', t => {
	const rows = page.split('\n## Lists')[0]?.matchAll(/^\| (`[^|]*`) +\|/gm) ?? [];
	const documented = [...rows].flatMap(([, cell = '']) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
	t.deepEqual(documented.toSorted(), labelNames.toSorted());
});

test('docs/configuration.md has every variable, and each that it has is known', async t => {
	const configuration = await readFile(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
	const documented = [...new Set(configuration.match(/\bHOLDFAST_[A-Z_]+\b/g))];
	// `NAME_FILE` is told of all secrets at once.
	t.deepEqual(documented.toSorted(), knownVariables.filter(name => !name.endsWith('_FILE')).toSorted());
});

test('every example of docs/labels.md is without a mistake', t => {
	const examples = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = '']) => parse(text) as Record<string, string>);
	t.true(examples.length >= 5);
	for (const labels of examples) {
		t.deepEqual(parseLabels(labels, {subject: 'example'}).problems, []);
	}
});

test('the recipes of docs/stream.md are those that `holdfast labels` proposes', async t => {
	const stream = await readFile(new URL('../../docs/stream.md', import.meta.url), 'utf8');
	const blocks = [...stream.matchAll(/```yaml\n(holdfast.*?)```/gs)].map(([, text = '']) => parse(text) as Record<string, string>);
	for (const title of ['InfluxDB', 'MongoDB']) {
		const labels = knownServers.find(server => server.title === title)?.labels ?? {};
		const wanted = Object.entries({enable: 'true', ...labels}).map(([name, value]) => [`holdfast.${name}`, value.replaceAll('$', '$$$$')]);
		t.deepEqual(
			blocks.find(block => Object.keys(block).join() === wanted.map(([name]) => name).join()),
			Object.fromEntries(wanted),
			title,
		);
	}
});

test('the patterns of docs/labels.md are read', t => {
	const patterns = [...(page.split('## Patterns')[1] ?? '').matchAll(/^\| `([^`]+)` +\|/gm)].map(([, pattern = '']) => pattern);
	t.true(patterns.length >= 5);
	t.deepEqual(parseLabels({'holdfast.volumes': 'true', 'holdfast.exclude': patterns.join(',')}, {subject: 'example'}).problems, []);
});

/** Cells of the rows of a table whose first column is headed `set-up`. */
function rowsOf(page: string): string[][] {
	const rows = page.split('\n').map(line => (line.startsWith('| ') ? line.slice(2, -2).split(' | ') : undefined));
	const head = rows.findIndex(cells => cells?.[0] === 'set-up');
	const end = rows.findIndex((cells, index) => index > head && cells === undefined);
	return rows.slice(head + 2, end < 0 ? undefined : end).flatMap(cells => (cells === undefined ? [] : [cells]));
}

test('each set-up is proven by tests that are there', async t => {
	const files = (await readdir('test', {recursive: true})).map(file => basename(file)).filter(file => file.endsWith('.test.ts'));
	for (const page of ['postgres', 'mariadb', 'sqlite']) {
		const rows = rowsOf(await readFile(`docs/${page}.md`, 'utf8'));
		t.true(rows.length > 5, page);
		for (const cells of rows) {
			const named = [...(cells.at(-1) ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name.replace(/\.test\.ts$/, ''));
			t.true(named.length > 0, `${page}: ${cells[0]} names no test`);
			for (const name of named) {
				t.true(
					files.some(file => file === `${name}.test.ts` || file === `${name}.engine.test.ts` || file === `${name}.night.test.ts`),
					`${page}: ${cells[0]} names ${name}, which is no test`,
				);
			}
		}
	}
});
