/** An agent that was killed and never comes back: its workers end, and keep nothing from being removed. Lane: waits. Turns: docker. */
import test, {type ExecutionContext} from 'ava';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

type Scene = Stack & {
	/** Ids that docker lists. */
	listed: (...argv: string[]) => Promise<string[]>;
};

/** A server that answers, and an application with a volume, in one group. */
async function startScene(
	t: ExecutionContext,
	appLabels: Readonly<Record<string, string>>,
	environment: Readonly<Record<string, string>> = {},
): Promise<Scene> {
	t.timeout(5 * 60_000);
	const labels = {'holdfast.enable': 'true', 'holdfast.group': 'all'};
	const stack = await startStack(t, {
		volumes: ['data'],
		services: {
			db: {
				image: await ensureImage('postgres:17'),
				environment: {POSTGRES_PASSWORD: 'secret'},
				labels: {...labels, 'holdfast.postgres': 'postgres'},
			},
			app: {
				image: await ensureImage('holdfast-test/app:latest'),
				init: true,
				command: ['sleep', 'infinity'],
				volumes: ['data:/data'],
				labels: {...labels, ...appLabels},
			},
		},
		holdfast: {environment},
	});
	await until('the server', async () => (await stack.exec('db', 'pg_isready', '--quiet', '--host=127.0.0.1')) === '', {timeout: 60_000});
	return {...stack, listed: async (...argv) => (await docker([...argv, '--quiet'])).split('\n').filter(Boolean)};
}

test('the agent is killed in a backup, and all is taken down: nothing is left, of the project or of ours', async t => {
	const stack = await startScene(
		t,
		{'holdfast.before': '["sleep", "240"]', 'holdfast.before.timeout': '5m'},
		// No folder, as restic sees it: its workers join the agent's network
		{RESTIC_REPOSITORY: 'rclone::local:/repository', RESTIC_PASSWORD: 'secret of the repository'},
	);
	const {listed} = stack;
	const backup = stack.backup(`${stack.project}/all`).catch(() => []);
	const format = '{{range .Mounts}}{{if eq .Destination "/staging"}}{{.Name}} {{end}}{{end}}{{index .Config.Labels "holdfast.agent"}}';
	const [volume = '', agent = ''] = await until('workers of both kinds', async () => {
		const near = await listed('ps', '--filter', `volume=${stack.project}_data`, '--filter', 'name=holdfast-repository-');
		const [volume, agent] = near.length === 1 ? (await docker(['inspect', '--format', format, ...near])).split(' ') : [];
		const dumps = await listed('ps', '--filter', `label=holdfast.agent=${agent}`, '--filter', 'name=holdfast-dump-');
		return dumps.length === 1 && [volume ?? '', agent ?? ''];
	});
	t.deepEqual(await listed('volume', 'ls', '--filter', `label=holdfast.agent=${agent}`), [volume]);
	await docker(['kill', stack.container('holdfast')]);
	await backup;
	const begun = performance.now();
	await stack.compose('down', '--volumes', '--timeout', '1');
	t.log(`taken down in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
	await until('nothing of ours to be left', async () => {
		const left = await Promise.all([
			listed('ps', '--all', '--filter', `label=holdfast.agent=${agent}`),
			listed('volume', 'ls', '--filter', `name=${volume}`),
		]);
		return left.flat().length === 0;
	});
	await stack.compose('down', '--volumes');
	const left = await Promise.all([
		listed('volume', 'ls', '--filter', `label=com.docker.compose.project=${stack.project}`),
		listed('network', 'ls', '--filter', `label=com.docker.compose.project=${stack.project}`),
	]);
	t.deepEqual(left.flat(), []);
});

test('the agent is killed while an archive comes in: its worker and what lay in the staging folder are gone with it', async t => {
	const stack = await startScene(t, {'holdfast.volumes': 'true'});
	const {listed} = stack;
	// Something comes, and never the end of it
	const script = '(head -c 100 /dev/zero; sleep 240) | holdfast import "$1" -';
	const importing = docker(['exec', stack.container('holdfast'), 'sh', '-c', script, 'sh', `${stack.project}/all`], {
		timeout: 240_000,
	}).catch(() => {});
	const agent = await until('a worker of the import', async () => {
		const workers = await listed('ps', '--filter', `volume=${stack.project}_data`, '--filter', 'name=holdfast-repository-');
		return workers.length === 1 && docker(['inspect', '--format', '{{index .Config.Labels "holdfast.agent"}}', ...workers]);
	});
	const left = async () => [
		...(await listed('ps', '--all', '--filter', `label=holdfast.agent=${agent}`)),
		...(await listed('volume', 'ls', '--filter', `label=holdfast.agent=${agent}`)),
	];
	t.is((await left()).length, 3, 'two workers and their volume');
	await docker(['kill', stack.container('holdfast')]);
	await importing;
	await until('nothing of ours to be left', async () => (await left()).length === 0);
	await stack.compose('down', '--volumes');
	t.deepEqual(await listed('volume', 'ls', '--filter', `label=com.docker.compose.project=${stack.project}`), []);
});
