/** The runbooks of docs/systems/, followed word for word while the applications write, and the applications' own checks afterwards. */
import {readFile} from 'node:fs/promises';
import test from 'ava';
import {parse} from 'yaml';
import {ensureImage} from '../support/images.ts';
import {openRunbook, type Runbook} from '../support/runbook.ts';
import {until} from '../support/until.ts';

const example = parse(await readFile(new URL('../../compose.example.yml', import.meta.url), 'utf8'));

/** Looks after the project of the runbook alone, and only when it is told to. */
const holdfast = (project: string) => ({
	image: process.env.HOLDFAST_TEST_IMAGE ?? 'holdfast:dev',
	environment: {HOLDFAST_PROJECTS: project, HOLDFAST_SCHEDULE: '0 0 29 2 *'},
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

test('Open WebUI', async t => {
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
