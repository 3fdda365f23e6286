/** A part of a dump is loaded whole, or it is an error. The client is one that says what it is asked to say. */
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {loadPart} from '../../../../../agent/sources/mariadb/load.ts';
import type {MariadbServer} from '../../../../../agent/sources/mariadb/server.ts';
import {here} from '../../../../../base/here.ts';

/** As `mariadb` does: what is no query is taken, and `select 'word'` prints a word. */
const client = `sed -n "s/^select '\\(.*\\)';$/\\1/p"`;

const server = {
	programs: {client: 'mariadb'},
	client: async (command: Parameters<typeof here>[0]) => here({...command, argv: ['sh', '-c', client]}),
	fromWorker: (script: string, given: readonly string[]) => ({argv: ['sh', '-c', script, 'sh', ...given, 'sh', '-c', client], env: {}}),
} as unknown as MariadbServer;

for (const [way, inside] of [
	['the worker', here],
	['the agent', undefined],
] as const) {
	test(`through ${way}`, async t => {
		const folder = await mkdtemp(join(tmpdir(), 'holdfast-load-'));
		const file = join(folder, 'dump.sql');
		await writeFile(file, "insert 1;\nselect 'second part';\n");
		const load = async (of: string, skip: number, bytes: number) =>
			loadPart({server, worker: here, inside, file: of, skip, bytes, database: 'app', signal: new AbortController().signal});
		try {
			await load(file, 0, 10);
			await load(file, 10, 22);
			await load(`${file}-none`, 0, 0);
			await t.throwsAsync(load(`${file}-none`, 0, 10), {message: /could not be read whole/});
		} finally {
			await rm(folder, {recursive: true, force: true});
		}
	});
}
