/** The runbooks of docs/systems/, followed word for word while the applications write, and the applications' own checks afterwards. */
import {readFile} from 'node:fs/promises';
import test from 'ava';
import {parse} from 'yaml';
import {ensureImage} from '../../support/images.ts';
import {openRunbook, type Runbook} from '../../support/stack/runbook.ts';
import {hardlyEver} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const example = parse(await readFile(new URL('../../../compose.example.yml', import.meta.url), 'utf8'));

/** Looks after the project of the runbook alone, and only when it is told to. */
const holdfast = (project: string) => ({
	image: process.env.HOLDFAST_TEST_IMAGE ?? 'holdfast:dev',
	environment: {HOLDFAST_PROJECTS: project, ...hardlyEver},
	read_only: true,
	cap_drop: ['ALL'],
	tmpfs: ['/tmp'],
});

/** Rows of chats, and how many of their uploads are there; the vector store opens and holds as many vectors as were written before. */
const countChats = `
const {existsSync, readdirSync} = require('node:fs');
const {DatabaseSync} = require('node:sqlite');
process.chdir('/app/backend/data');
const chats = new DatabaseSync('webui.db', {readOnly: true, timeout: 5000});
const uploads = chats.prepare('select upload from chat').all();
const vectors = new DatabaseSync('vector_db/chroma.sqlite3', {timeout: 5000});
const collection = readdirSync('vector_db').find(name => !name.startsWith('chroma'));
console.log(JSON.stringify({
	check: chats.prepare('pragma integrity_check').get().integrity_check + vectors.prepare('pragma integrity_check').get().integrity_check,
	chats: uploads.length,
	missing: uploads.filter(({upload}) => !existsSync(upload)).length,
	vectors: vectors.prepare('select count(*) as n from embeddings').get().n,
	index: readdirSync('vector_db/' + collection).length,
}));`;

interface Found {
	check: string;
	chats: number;
	missing: number;
	vectors: number;
	index: number;
}

const look = async ({compose}: Runbook): Promise<Found> =>
	JSON.parse(await compose('exec', '-T', 'open-webui', 'node', '--disable-warning=ExperimentalWarning', '-e', countChats)) as Found;

test.serial('Open WebUI', async t => {
	t.timeout(10 * 60_000);
	// The same program that stands for it in the example; what is mounted and labelled is the page's.
	const {labels: _, volumes: __, ...webui} = example.services.webui;
	const runbook = await openRunbook(t, 'open-webui', {
		services: {
			'open-webui': {...webui, image: await ensureImage('node:24-trixie-slim')},
			holdfast: holdfast('open-webui'),
		},
		configs: example.configs,
	});
	await runbook.follow('Back up');
	const enough = await until(
		'some chats',
		async () => {
			const found = await look(runbook);
			return found.chats > 20 && found;
		},
		{timeout: 60_000},
	);
	await runbook.compose('exec', '-T', 'holdfast', 'holdfast', 'backup', 'open-webui/open-webui');
	await runbook.follow('When the data is lost');
	const restored = await look(runbook);
	t.is(restored.check, 'okok');
	t.true(restored.chats >= enough.chats, `${restored.chats} chats of ${enough.chats}`);
	t.true(restored.missing <= 1, `${restored.missing} uploads are missing`);
	t.is(restored.index, 5);
	t.true(restored.vectors >= enough.vectors && Math.abs(restored.vectors - restored.chats) <= 1, JSON.stringify(restored));
});

const sql = async ({compose}: Runbook, database: string, statement: string) =>
	compose('exec', '-T', 'db', 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres', '-d', database, '-c', statement);

/** An application that runs a loop of shell in the image that has psql. */
const application = async (database: string, setUp: string, step: string) => ({
	image: await ensureImage('holdfast-test/app:latest'),
	init: true,
	entrypoint: ['bash', '-c'],
	command: [`set -e; psql -qc "${setUp}"; while :; do ${step}; sleep 0.1; done`.replaceAll('$', '$$$$')],
	environment: {PGHOST: 'db', PGUSER: 'postgres', PGPASSWORD: 'change-me', PGDATABASE: database},
});

test.serial('Bytebase', async t => {
	t.timeout(10 * 60_000);
	const runbook = await openRunbook(t, 'bytebase', {
		services: {
			db: {image: await ensureImage('postgres:17')},
			bytebase: await application(
				'metadb',
				'create table if not exists migration_history (n bigserial primary key, namespace text not null)',
				`psql -qc "insert into migration_history (namespace) values ('metadb')"`,
			),
			holdfast: holdfast('bytebase'),
		},
	});
	const newest = async (database = 'metadb') => Number(await sql(runbook, database, 'select max(n) from migration_history'));
	await runbook.follow('Back up');
	await until('some migrations', async () => (await newest()) > 5, {timeout: 60_000});
	await runbook.compose('exec', '-T', 'holdfast', 'holdfast', 'backup', 'bytebase/db');
	await runbook.follow('When the data is lost');
	const restored = Number(await sql(runbook, 'metadb', 'select count(*) from migration_history'));
	t.true(restored > 5, `${restored} rows`);
	await until('the application goes on', async () => (await newest()) > restored);

	await runbook.follow('Look into a point without touching anything');
	t.is(await sql(runbook, 'metadb2', 'select distinct namespace from migration_history'), 'metadb2');
	t.is(await sql(runbook, 'metadb', 'select distinct namespace from migration_history'), 'metadb');
});

test.serial('Promscale', async t => {
	t.timeout(10 * 60_000);
	const runbook = await openRunbook(t, 'promscale', {
		services: {
			db: {image: await ensureImage('holdfast-test/promscale:pg17')},
			promscale: await application(
				'metrics',
				`create extension if not exists timescaledb; create extension if not exists promscale;
				create table if not exists prom_data.cpu (time timestamptz not null, value double precision);
				select create_hypertable('prom_data.cpu', by_range('time', interval '1 second'), if_not_exists => true)`,
				`psql -qc "insert into prom_data.cpu values (now(), random())"`,
			),
			holdfast: holdfast('metrics'),
		},
	});
	const count = async () => Number(await sql(runbook, 'metrics', 'select count(*) from prom_data.cpu'));
	await runbook.follow('Back up');
	await until('some samples', async () => (await count()) > 20, {timeout: 60_000});
	await runbook.compose('exec', '-T', 'holdfast', 'holdfast', 'backup', 'metrics/db');
	const oldest = await sql(runbook, 'metrics', 'select min(time) from prom_data.cpu');
	await runbook.follow('When the data is lost');
	const restored = await count();
	t.true(restored > 20, `${restored} samples`);
	t.is(await sql(runbook, 'metrics', 'select min(time) from prom_data.cpu'), oldest);
	t.true(Number(await sql(runbook, 'metrics', 'select count(*) from timescaledb_information.chunks')) > 1);
	await until('the application goes on', async () => (await count()) > restored);
});

/** Rows without their file, files without their row, and files that hold something else. */
const compareTree = `
const {readdirSync, readFileSync} = require('node:fs');
const rows = new Set(process.argv[1].split('\\n').filter(Boolean));
const files = readdirSync('/opt/mendix/data/files/tree', {recursive: true, withFileTypes: true}).filter(entry => entry.isFile());
console.log(JSON.stringify({
	rows: rows.size,
	missing: [...rows].filter(id => !files.some(({name}) => name === id)).length,
	more: files.filter(({name}) => !rows.has(name)).length,
	wrong: files.filter(({name, parentPath}) => readFileSync(parentPath + '/' + name, 'utf8') !== name || !parentPath.endsWith(name.slice(0, 2) + '/' + name.slice(2, 4))).length,
}));`;

test.serial('Mendix', async t => {
	t.timeout(10 * 60_000);
	const runbook = await openRunbook(t, 'mendix', {
		services: {
			db: {image: await ensureImage('postgres:17')},
			app: await application(
				'mendix',
				'create table if not exists file (id uuid primary key)',
				`read -r id </proc/sys/kernel/random/uuid
				psql -qc "insert into file values ('$id')"
				folder=/opt/mendix/data/files/tree/\${id:0:2}/\${id:2:2}
				mkdir -p "$folder"
				printf %s "$id" >"$folder/$id"`,
			),
			holdfast: holdfast('mendix'),
		},
	});
	const count = async () => Number(await sql(runbook, 'mendix', 'select count(*) from file'));
	await runbook.follow('Back up');
	await until('some files', async () => (await count()) > 30, {timeout: 60_000});
	await runbook.compose('exec', '-T', 'holdfast', 'holdfast', 'backup', 'mendix/production');
	await runbook.follow('When the data is lost');
	await runbook.compose('pause', 'app');
	const rows = await sql(runbook, 'mendix', 'select id from file');
	await runbook.compose('unpause', 'app');
	const found = JSON.parse(await runbook.compose('exec', '-T', 'app', 'node', '-e', compareTree, rows));
	t.true(found.rows > 30, JSON.stringify(found));
	t.is(found.missing + found.wrong <= 1 ? 'whole' : JSON.stringify(found), 'whole');

	t.regex(await runbook.follow('The database only'), /left as they are|may not fit/);
});

test.serial('Camunda Web Modeler', async t => {
	t.timeout(10 * 60_000);
	const server = await ensureImage('postgres:17');
	const modeler = await application(
		'web-modeler',
		'create table if not exists diagrams (id bigserial primary key, author text not null)',
		`psql -qc "insert into diagrams (author) values ('0d3e301f')"`,
	);
	const runbook = await openRunbook(t, 'camunda', {
		services: {
			db: {image: server},
			'web-modeler': {...modeler, labels: {'holdfast.drill.image': server}},
			holdfast: holdfast('camunda'),
		},
	});
	const count = async () => Number(await sql(runbook, 'web-modeler', 'select count(*) from diagrams'));
	t.regex(await runbook.follow('Back up'), /postgres:web-modeler of \S+ at db:5432/);
	await until('some diagrams', async () => (await count()) > 5, {timeout: 60_000});
	await sql(runbook, 'postgres', "create role reader login password 'a word'");
	await sql(runbook, 'postgres', 'create database identity owner reader');
	await sql(runbook, 'identity', 'create table "Users" as select 1 as "Id"');
	await runbook.compose('exec', '-T', 'holdfast', 'holdfast', 'backup', 'camunda/web-modeler');
	t.regex(
		await runbook.follow('When the data is lost'),
		/The users of the identity provider \(Keycloak\) must be those of the restored point/,
	);
	const restored = await count();
	t.true(restored > 5, `${restored} diagrams`);
	t.is(await sql(runbook, 'identity', 'select "Id" from "Users"'), '1');
	t.is(await sql(runbook, 'postgres', "select rolpassword ~ '^SCRAM' from pg_authid where rolname = 'reader'"), 't');
	await until('the application goes on', async () => (await count()) > restored);
	t.regex(await runbook.follow('Rehearse it'), /success|stood/i);
});
