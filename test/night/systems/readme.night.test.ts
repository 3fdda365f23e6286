/** The page that everybody reads first, carried out as it stands. */
import process from 'node:process';
import test from 'ava';
import {ensureImage} from '../../support/images.ts';
import {openRunbook} from '../../support/stack/runbook.ts';

/** What a person copies from the screen. */
const newestRun = '$(docker compose exec -T holdfast holdfast runs --limit 1 --json | node -p "JSON.parse(fs.readFileSync(0))[0].run")';

test('the snippet and the commands of the README work', async t => {
	t.timeout(5 * 60_000);
	const runbook = await openRunbook(t, 'README', {
		services: {
			db: {
				image: await ensureImage('postgres:17'),
				environment: {POSTGRES_PASSWORD: 'a password'},
				healthcheck: {test: ['CMD', 'pg_isready', '--host=127.0.0.1', '--username=postgres'], interval: '1s', retries: 60},
			},
			holdfast: {image: process.env.HOLDFAST_TEST_IMAGE ?? 'holdfast:dev', environment: {HOLDFAST_PROJECTS: 'readme'}},
		},
	});
	await runbook.compose('up', '--detach', '--wait', 'db');
	const said = await runbook.follow('Use it', {
		'up -d': 'up -d; until docker compose exec -T holdfast holdfast healthcheck; do sleep 0.2; done',
		'restore PROJECT/db': 'restore readme/db --yes',
		RUN: newestRun,
	});
	for (const pattern of [/it lets the agent do all/, /postgres:postgres/, /readme\/db +success/, /replaced, and kept: postgres:postgres/]) {
		t.regex(said, pattern);
	}
});
