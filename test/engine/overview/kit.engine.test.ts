/** The kit opens the repository where nothing but the kit and the repository is left. Lane: waits. Turns: surfaces. */
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import type {Kit} from '../../../base/shapes/kit.ts';
import type {Finding} from '../../../base/shapes/targets.ts';
import {docker} from '../../support/docker.ts';
import {idleApp} from '../../support/stack/idle.ts';
import {startStack} from '../../support/stack.ts';

test('what is printed opens it elsewhere, its files among it, and people are reminded until it is kept', async t => {
	t.timeout(6 * 60_000);
	const folder = await mkdtemp(join(tmpdir(), 'holdfast-kit-'));
	t.teardown(async () => rm(folder, {recursive: true, force: true}));
	const configuration = (more = '') => `[store]\ntype = alias\nremote = /repository\n${more}`;
	await writeFile(join(folder, 'rclone.conf'), configuration());
	const stack = await startStack(t, {
		slowKey: true,
		volumes: ['data'],
		services: {
			app: await idleApp(),
		},
		holdfast: {
			environment: {RESTIC_REPOSITORY: 'rclone:store:', RESTIC_PASSWORD: "it's a secret", RCLONE_CONFIG: '/conf/rclone.conf'},
			volumes: [
				'/var/run/docker.sock:/var/run/docker.sock',
				'hf-repository:/repository',
				'hf-state:/state',
				'hf-cache:/cache',
				`${folder}:/conf`,
			],
		},
	});
	await stack.exec('app', 'sh', '-c', 'echo precious >/data/word');
	const [backup] = await stack.backup(`${stack.project}/app`);
	t.is(backup?.outcome, 'success', backup?.error);

	const reminders = async () =>
		(JSON.parse((await stack.holdfast('doctor', '--json')).stdout) as Finding[]).filter(
			({subject, level}) => subject === 'kit' && level !== 'ok',
		).length;
	t.is(await reminders(), 1);
	const kit: Kit = JSON.parse((await stack.holdfast('kit', '--json')).stdout);
	const [primary] = kit.repositories;
	t.deepEqual(primary?.files, [{path: '/conf/rclone.conf', text: configuration()}]);
	t.true((await stack.holdfast('kit')).stdout.includes('[store]\n    type = alias'));
	t.true((await stack.holdfast('kit', '--page')).stdout.includes('<h3>/conf/rclone.conf</h3>'));

	// Another machine: the repository, and what was printed
	const image = await docker(['inspect', '--format', '{{.Image}}', stack.container('holdfast')]);
	const script = `mkdir -p /conf && printf %s "$FILE" >/conf/rclone.conf && restic --no-cache dump ${backup?.sources[0]?.snapshot} /${stack.project}/app/volume/data/word`;
	const environment = Object.entries({...primary?.environment, FILE: configuration()}).map(([name, value]) => `--env=${name}=${value}`);
	const content = await docker([
		...['run', '--rm', '--label=holdfast-test=kit', '--entrypoint=sh', '--user=0', '--tmpfs=/conf'],
		...environment,
		`--volume=${stack.project}_hf-repository:/repository`,
		image,
		'-c',
		script,
	]);
	t.is(content.trim(), 'precious');

	await stack.holdfast('kit', '--kept');
	t.is(await reminders(), 0);
	await writeFile(join(folder, 'rclone.conf'), configuration('description = passes\ntoken = {"a":1}\n'));
	t.is(await reminders(), 1, 'something of it has changed');
	await stack.holdfast('kit', '--kept');
	await writeFile(join(folder, 'rclone.conf'), configuration('description = passes\ntoken = {"a":2}\n'));
	t.is(await reminders(), 0, 'a token that passes is nothing to keep');
});
