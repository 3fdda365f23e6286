/** A part of a dump is loaded whole, or it is an error. The client is one that says what it is asked to say. */
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {ServerRefusal} from '../../../../../agent/sources/mariadb/client.ts';
import {loadPart} from '../../../../../agent/sources/mariadb/load.ts';
import type {MariadbServer} from '../../../../../agent/sources/mariadb/server.ts';
import {here} from '../../../../../base/here.ts';

/** As `mariadb` does: what is no query is taken, and `select 'word'` prints a word. */
const client = `sed -n "s/^select '\\(.*\\)';$/\\1/p"`;

const server = {
	query: async () => [['max_allowed_packet', '1073741824']],
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
			loadPart({server, worker: here, inside, file: of, skip, bytes, database: 'app', signal: new AbortController().signal, remember() {}});
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

test('a server that takes short statements takes long ones from this session alone, and is put back whatever becomes of it', async t => {
	const asked: string[] = [];
	const strict = (mayChange: boolean, says = "echo 'ERROR 2006 (HY000): Server has gone away' >&2; exit 1") => ({
		...server,
		query: async (sql: string) => {
			asked.push(sql);
			if (sql.startsWith('set') && !mayChange) {
				throw new ServerRefusal('ERROR 1227 (42000): Access denied; you need SUPER');
			}

			return [['max_allowed_packet', '16777216']];
		},
		client: async (command: Parameters<typeof here>[0]) => here({...command, argv: ['sh', '-c', `cat >/dev/null; ${says}`]}),
	});
	const folder = await mkdtemp(join(tmpdir(), 'holdfast-load-'));
	const file = join(folder, 'dump.sql');
	await writeFile(file, 'insert 1;\n');
	const load = async (mayChange: boolean) =>
		loadPart({
			server: strict(mayChange),
			worker: here,
			inside: undefined,
			file,
			skip: 0,
			bytes: 10,
			database: 'app',
			signal: new AbortController().signal,
			remember: changed => asked.push(JSON.stringify(changed)),
		});
	try {
		await t.throwsAsync(load(true), {message: /Server has gone away/});
		const before = '[{"name":"max_allowed_packet","before":16777216}]';
		const change = [before, 'set global max_allowed_packet = 1073741824;'];
		t.deepEqual(asked.splice(0).slice(1), [...change, 'set global max_allowed_packet = 16777216;', '[]']);
		const error = await t.throwsAsync(load(false), {message: /Server has gone away/});
		t.regex((error as {hint?: string}).hint ?? '', /takes statements of 16.8 MB.*max_allowed_packet/);
		t.deepEqual(asked.slice(1), [...change, '[]']);
	} finally {
		await rm(folder, {recursive: true, force: true});
	}
});

test('where MySQL takes no table without a primary key, the loading session does', async t => {
	const sent: string[] = [];
	const strict = {
		...server,
		flavour: 'mysql',
		query: async (sql: string) => (sql.startsWith('show variables') ? [['sql_require_primary_key', 'ON']] : []),
		fromWorker: (script: string, given: readonly string[]) => {
			sent.push(given.at(-1) ?? '');
			return server.fromWorker(script, given, ['mysql']);
		},
	} as unknown as MariadbServer;
	const options = {
		worker: here,
		inside: here,
		file: '/etc/hostname',
		skip: 0,
		bytes: 1,
		database: 'app',
		signal: new AbortController().signal,
		remember() {},
	};
	await loadPart({...options, server: strict});
	await loadPart({...options, server: {...strict, flavour: 'mariadb'} as MariadbServer});
	t.deepEqual(
		sent.map(sql => sql.includes('set session sql_require_primary_key = 0;')),
		[true, false],
	);
});

test('where a server takes only functions that say what they do, those of a dump are taken while it is loaded, and the server is put back, or that is still to be done', async t => {
	const asked: string[] = [];
	let isThere = true;
	const logging = {
		...server,
		query: async (sql: string) => {
			asked.push(sql);
			if (!isThere) {
				throw new Error('the server is gone');
			}

			return [
				['log_bin', 'ON'],
				['log_bin_trust_function_creators', 'OFF'],
				['max_allowed_packet', '1073741824'],
			];
		},
		fromWorker: (script: string, given: readonly string[]) => {
			asked.push('load');
			return server.fromWorker(script, given, ['mariadb']);
		},
	} as unknown as MariadbServer;
	const {signal} = new AbortController();
	const remember = (changed: unknown) => asked.push(JSON.stringify(changed));
	const part = {worker: here, inside: here, file: '/etc/hostname', skip: 0, bytes: 1, database: 'app', signal, remember};
	await loadPart({...part, server: logging});
	const before = '[{"name":"log_bin_trust_function_creators","before":0}]';
	const changed = [before, 'set global log_bin_trust_function_creators = 1;', 'load', 'set global log_bin_trust_function_creators = 0;'];
	t.deepEqual(asked.splice(0).slice(1), [...changed, '[]']);

	const vanishing = {
		...logging,
		fromWorker: (...given: Parameters<MariadbServer['fromWorker']>) => {
			const command = logging.fromWorker(...given);
			isThere = false;
			return command;
		},
	};
	await t.throwsAsync(loadPart({...part, server: vanishing}), {message: /the server is gone/});
	t.deepEqual(asked.slice(1), changed);
});
