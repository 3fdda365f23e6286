/** Whole projects through a socket proxy that forbids what docs/security.md does not name; and an engine behind TLS. Lane: waits. Turns: docker. */
import {readFile} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import type {RestorePlan} from '../../../base/shapes/restores.ts';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {makeKeys} from '../../support/machine/keys.ts';
import {startStack} from '../../support/stack.ts';

const proxy = fileURLToPath(new URL('../../support/doubles/socket-proxy.ts', import.meta.url));
const door = fileURLToPath(new URL('../../support/doubles/tls-door.ts', import.meta.url));

/** The rows of the table that begin with a call. */
const documentedCalls = async (): Promise<string[]> => {
	const page = await readFile(new URL('../../../docs/security.md', import.meta.url), 'utf8');
	return [...page.matchAll(/^\| `([A-Z]+ \/[^`]*)` +\|/gm)].map(([, call = '']) => call);
};

const ownVolumes = ['hf-repository:/repository', 'hf-state:/state', 'hf-cache:/cache'];

const labels = {'holdfast.enable': 'true'};

test('whole projects, drills, new names, the doctor and what looks into points need no call that docs/security.md does not list', async t => {
	const [app, postgres] = await Promise.all([ensureImage('holdfast-test/app:latest'), ensureImage('postgres:17')]);
	const sleeping = {image: app, entrypoint: ['sleep', 'infinity'], init: true};
	const stack = await startStack(t, {
		holdfast: {depends_on: ['proxy'], volumes: ownVolumes, environment: {DOCKER_HOST: 'tcp://proxy:2375'}},
		services: {
			proxy: {
				image: app,
				entrypoint: ['node', '--disable-warning=ExperimentalWarning', '/socket-proxy.ts'],
				environment: {ALLOWED: JSON.stringify(await documentedCalls())},
				volumes: ['/var/run/docker.sock:/var/run/docker.sock', `${proxy}:/socket-proxy.ts:ro`],
			},
			db: {
				image: postgres,
				environment: {POSTGRES_PASSWORD: 'secret'},
				labels: {...labels, 'holdfast.postgres': 'true'},
			},
			app: {...sleeping, volumes: ['data:/data'], labels, depends_on: ['db']},
			other: {...sleeping, volumes: ['other:/data'], labels: {...labels, 'holdfast.before': 'true', 'holdfast.quiesce': 'stop'}},
			bare: {...sleeping, volumes: ['bare:/data']},
		},
		volumes: ['data', 'other', 'bare'],
	});
	const write = async (word: string) =>
		Promise.all(['app', 'other'].map(async service => stack.exec(service, 'sh', '-c', `echo ${word} >/data/word`)));
	const well = async (...argv: string[]) => {
		const {exitCode, stdout, stderr} = await stack.holdfast(...argv);
		t.is(exitCode, 0, `${argv.join(' ')}: ${stdout}${stderr}`);
		return stdout;
	};
	await write('first');
	const results = await stack.backup('--all');
	t.deepEqual(
		results.map(({outcome, error}) => [outcome, error]),
		results.map(() => ['success', undefined]),
	);
	t.is(results.length, 3);
	await write('second');
	const plan = JSON.parse(await well('restore', stack.project, '--dry-run', '--json')) as RestorePlan;
	t.is(plan.points.length, 3);
	const restored = await stack.restore(stack.project);
	t.is(restored.outcome, 'success', restored.error);
	t.is(await stack.exec('other', 'cat', '/data/word'), 'first');
	await well('restore', 'undo', restored.run);
	t.is(await stack.exec('app', 'cat', '/data/word'), 'second');
	await well('drill', '--all');
	await well('labels', stack.project);
	await well('ls', `${stack.project}/app`);
	await well('check');
	await well('prune');
	await stack.compose('rm', '-sf', 'other');
	await well('move', `${stack.project}/other`, `${stack.project}/later`);
	const findings = JSON.parse((await stack.holdfast('doctor', '--json')).stdout) as Array<{
		level: string;
		subject: string;
		message: string;
	}>;
	t.deepEqual(
		findings.filter(({message}) => /forbidden|403/.test(message)),
		[],
	);
	const lines = (await docker(['logs', stack.container('proxy')])).split('\n');
	t.deepEqual(
		lines.filter(line => line.startsWith('forbidden ')),
		[],
	);
});

test('an engine behind TLS is spoken to with the keys of Docker’s own variables, which no worker gets', async t => {
	const app = await ensureImage('holdfast-test/app:latest');
	const keys = await makeKeys(t, 'engine');
	const common = {image: app, entrypoint: ['sleep', 'infinity'], init: true};
	const stack = await startStack(t, {
		holdfast: {
			depends_on: ['engine'],
			volumes: [...ownVolumes, `${keys}:/certs:ro`],
			environment: {DOCKER_HOST: 'tcp://engine:2376', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/certs'},
		},
		services: {
			engine: {
				image: app,
				entrypoint: ['node', '--disable-warning=ExperimentalWarning', '/tls-door.ts'],
				environment: {KEYS: '/keys'},
				volumes: ['/var/run/docker.sock:/var/run/docker.sock', `${door}:/tls-door.ts:ro`, `${keys}:/keys:ro`],
			},
			app: {
				...common,
				volumes: ['data:/data'],
				labels: {
					...labels,
					'holdfast.tar': '/etc/debian_version',
					'holdfast.volumes': 'true',
				},
			},
		},
		volumes: ['data'],
	});
	await stack.exec('app', 'sh', '-c', 'head -c 3000000 /dev/urandom >/data/file');
	const sum = async () => stack.exec('app', 'sha256sum', '/data/file');
	const before = await sum();
	const backing = stack.backup(`${stack.project}/app`);
	const mounts = new Set<string>();
	let isOver = false;
	const watching = (async () => {
		while (!isOver) {
			const ids = (await docker(['ps', '--quiet', '--filter', 'label=holdfast.worker', '--filter', 'name=holdfast-repository-'])).split(
				'\n',
			);
			for (const id of ids.filter(Boolean)) {
				const seen = await docker(['inspect', '--format', '{{range .Mounts}}{{.Destination}} {{end}}', id]).catch(() => '');
				for (const path of seen.includes(stack.project) ? seen.split(' ').filter(Boolean) : []) {
					mounts.add(path);
				}
			}
		}
	})();
	const [result] = await backing.finally(() => {
		isOver = true;
	});
	await watching;
	t.is(result?.outcome, 'success', result?.error);
	t.true(mounts.has('/repository') && mounts.has(`/${stack.project}/app/volume/data`), [...mounts].join());
	t.false(mounts.has('/certs'));
	await stack.exec('app', 'sh', '-c', 'echo other >/data/file');
	const restored = await stack.restore(`${stack.project}/app`);
	t.is(restored.outcome, 'success', restored.error);
	t.is(await sum(), before);
});
