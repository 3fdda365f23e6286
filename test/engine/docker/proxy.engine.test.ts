/** The agent behind a socket proxy that forbids every call that docs/security.md does not name. Lane: waits. Turns: docker. */
import {readFile} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {filesApp} from '../../support/stack/files-app.ts';
import {startStack} from '../../support/stack.ts';

const proxy = fileURLToPath(new URL('../../support/doubles/socket-proxy.ts', import.meta.url));

/** The rows of the table that begin with a call. */
const documentedCalls = async (): Promise<string[]> => {
	const page = await readFile(new URL('../../../docs/security.md', import.meta.url), 'utf8');
	return [...page.matchAll(/^\| `([A-Z]+ \/[^`]*)` +\|/gm)].map(([, call = '']) => call);
};

test('a backup and a restore of every kind of source need exactly the calls that docs/security.md lists', async t => {
	const documented = await documentedCalls();
	t.deepEqual(documented, [...new Set(documented)], 'each call once');
	const [app, postgres] = await Promise.all([ensureImage('holdfast-test/app:latest'), ensureImage('postgres:17')]);
	const stack = await startStack(t, {
		holdfast: {
			depends_on: ['proxy'],
			volumes: ['hf-repository:/repository', 'hf-state:/state', 'hf-cache:/cache'],
			// Not a folder, as restic sees it: its workers join the agent's networks
			environment: {
				DOCKER_HOST: 'tcp://proxy:2375',
				RESTIC_REPOSITORY: 'rclone::local:/repository',
				RESTIC_PASSWORD: 'secret of the repository',
			},
			networks: ['default', 'storage'],
		},
		networks: ['storage'],
		services: {
			proxy: {
				image: app,
				entrypoint: ['node', '--disable-warning=ExperimentalWarning', '/socket-proxy.ts'],
				environment: {ALLOWED: JSON.stringify(documented)},
				volumes: ['/var/run/docker.sock:/var/run/docker.sock', `${proxy}:/socket-proxy.ts:ro`],
			},
			db: {
				image: postgres,
				environment: {POSTGRES_PASSWORD: 'secret'},
				labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'true'},
			},
			app: filesApp(app),
			stopped: {
				image: app,
				command: ['write-sqlite', '/data/app.db', '/data/files'],
				volumes: ['files:/data'],
				labels: {'holdfast.enable': 'true', 'holdfast.quiesce': 'stop'},
			},
		},
		volumes: ['data', 'files'],
	});

	const results = await stack.backup('--all');
	t.deepEqual(
		results.map(({outcome, error}) => ({outcome, error})),
		results.map(() => ({outcome: 'success', error: undefined})),
	);
	t.is(results.length, 3);
	for (const service of ['db', 'app']) {
		const {outcome, error} = await stack.restore(`${stack.project}/${service}`);
		t.is(outcome, 'success', error);
	}

	const lines = (await docker(['logs', stack.container('proxy')])).split('\n');
	const calls = (verdict: string) => lines.filter(line => line.startsWith(`${verdict} `)).map(line => line.slice(verdict.length + 1));
	t.deepEqual(calls('forbidden'), []);
	// Only an import that holds files makes a volume by its name: others are nameless, and come with their container.
	t.deepEqual(calls('called').sort(), documented.filter(call => call !== 'POST /volumes/create').sort());
});
