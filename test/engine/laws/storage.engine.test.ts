/** One folder is one storage, whatever it is called: its writers stand still in a backup and in a restore, and runs take turns by it. Lane: waits. */
import {createHash} from 'node:crypto';
import {mkdir, mkdtemp, readFile, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {ensureImage} from '../../support/images.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

let stack: Stack;
let host: string;
const teardowns: Array<() => unknown> = [];
const target = (service: string) => `${stack.project}/${service}`;

/** Writes one number into two files, one after the other, for ever; or rests, once it is told so. */
const writing = (first: string, second: string) => [
	'sh',
	'-c',
	`while :; do test ! -e /data/rest || { sleep 1; continue; }; n=$$((n+1)); for f in ${first} ${second}; do echo $$n >/data/.$$f && mv /data/.$$f /data/$$f; done; done`,
];

test.before(async t => {
	t.timeout(5 * 60_000);
	const image = await ensureImage('holdfast-test/app:latest');
	host = await mkdtemp(join(tmpdir(), 'holdfast-storage-'));
	teardowns.push(async () => rm(host, {recursive: true, force: true}));
	await mkdir(join(host, 'real'));
	await mkdir(join(host, 'conf'));
	await mkdir(join(host, 'deep'));
	await writeFile(join(host, 'conf/app.yml'), 'first: true\n');
	await mkdir(join(host, 'other'));
	await symlink(join(host, 'real'), join(host, 'link'));
	await mkdir(join(host, 'first'));
	await symlink(join(host, 'first'), join(host, 'swing'));
	await symlink('/usr/share/zoneinfo', join(host, 'system'));
	const command = ['sleep', 'infinity'];
	const labels = {'holdfast.enable': 'true'};
	stack = await startStack(
		{teardown: undo => teardowns.push(undo)},
		{
			volumes: ['bound', 'data', 'outer', 'inner'],
			volumeOptions: {bound: {type: 'none', o: 'bind', device: join(host, 'real')}},
			services: {
				app: {image, init: true, command, volumes: ['bound:/data'], labels},
				worker: {image, init: true, command: writing('a', 'b'), volumes: [`${join(host, 'real')}:/data`], cpus: 0.3},
				linked: {image, init: true, command: writing('c', 'd'), volumes: [`${join(host, 'link')}:/data`], cpus: 0.3},
				twin: {image, init: true, command, volumes: [`${join(host, 'link')}:/data`], labels},
				nested: {
					image,
					init: true,
					command,
					volumes: ['outer:/data', `${join(host, 'conf/app.yml')}:/data/app.yml`, 'inner:/data/in', `${join(host, 'deep')}:/data/in/deep`],
					labels,
				},
				editor: {image, init: true, command, volumes: [`${join(host, 'conf')}:/conf`]},
				plain: {image, init: true, command, volumes: ['data:/data'], labels},
				swinging: {image, init: true, command, volumes: [`${join(host, 'swing')}:/data`], labels},
				modules: {image, init: true, command, volumes: ['data:/more', `${join(host, 'system')}:/data`], labels},
			},
		},
	);
});

test.after.always(async () => {
	for (const undo of teardowns.toReversed()) {
		await undo();
	}
});

const started = async (service: string) => stack.docker(['inspect', '--format', '{{.State.StartedAt}}', stack.container(service)]);

test.serial(
	'a link is led elsewhere while its container runs: what was looked at counts for a minute, so the others come first',
	async t => {
		await stack.exec('swinging', 'sh', '-c', 'echo first >/data/word');
		const [first] = await stack.backup(target('swinging'));
		t.is(first?.outcome, 'success', first?.error);
		await rm(join(host, 'swing'));
		await symlink(join(host, 'other'), join(host, 'swing'));
		await writeFile(join(host, 'other/word'), 'of another\n');
	},
);

test.serial('whoever writes there by another name stands still: every point is of one moment', async t => {
	t.timeout(10 * 60_000);
	await until('both write', async () => (await readFile(join(host, 'real/d'), 'utf8').catch(() => '')) !== '');
	for (let round = 0; round < 5; round++) {
		const [result] = await stack.backup(target('app'));
		t.is(result?.outcome, 'success', result?.error);
		const snapshot = result?.sources[0]?.snapshot ?? '';
		const number = async (name: string) => Number(await stack.restic('dump', snapshot, `/${target('app')}/volume/data/${name}`));
		for (const [first, second] of [
			['a', 'b'],
			['c', 'd'],
		] as const) {
			const ahead = (await number(first)) - (await number(second));
			t.true(ahead === 0 || ahead === 1, `${first} is ${ahead} ahead of ${second}`);
		}
	}

	t.deepEqual([await stack.state('worker'), await stack.state('linked')], ['running', 'running']);
	await writeFile(join(host, 'real/rest'), '');
});

test.serial('and is stopped while it is restored, which the plan says', async t => {
	t.timeout(5 * 60_000);
	const content = Buffer.from(Array.from({length: 100_000}, (_, index) => index % 251));
	const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
	await writeFile(join(host, 'real/precious'), content);
	const [backup] = await stack.backup(target('app'));
	t.is(backup?.outcome, 'success', backup?.error);
	await writeFile(join(host, 'real/precious'), 'lost');
	const {stdout} = await stack.holdfast('restore', target('app'), '--dry-run');
	for (const service of ['app', 'worker', 'linked', 'twin']) {
		t.true(stdout.includes(stack.container(service)), `${service} is stopped: ${stdout}`);
	}

	const before = await Promise.all(['worker', 'linked'].map(started));
	const restored = await stack.restore(target('app'));
	t.is(restored.outcome, 'success', restored.error);
	t.is(hash(await readFile(join(host, 'real/precious'))), hash(content));
	const after = await Promise.all(['worker', 'linked'].map(started));
	t.true(after.every((time, index) => time !== before[index]));
	t.deepEqual(await Promise.all(['app', 'worker', 'linked', 'twin'].map(stack.state)), ['running', 'running', 'running', 'running']);
});

test.serial('two targets of one folder are backed up one after the other', async t => {
	t.timeout(5 * 60_000);
	for (let round = 0; round < 2; round++) {
		const results = await stack.backup(target('app'), target('twin'));
		t.deepEqual(
			results.map(({outcome, error}) => [outcome, error]),
			[
				['success', undefined],
				['success', undefined],
			],
		);
	}
});

test.serial('a one-off container stands still in a backup, and a restore is refused while it uses what is restored', async t => {
	t.timeout(5 * 60_000);
	const name = `${stack.project}-once`;
	await stack.compose(
		...['run', '--detach', '--no-deps', '--name', name, 'plain', 'sh', '-c', 'while :; do date +%N >>/data/log; sleep 0.1; done'],
	);
	t.teardown(async () => stack.docker(['rm', '--force', name]));
	await stack.exec('plain', 'sh', '-c', 'echo before >/data/f');
	const [result] = await stack.backup(target('plain'));
	t.is(result?.outcome, 'success', result?.error);
	t.is(await stack.docker(['inspect', '--format', '{{.State.Status}}', name]), 'running');
	await stack.exec('plain', 'sh', '-c', 'echo after >/data/f');
	const refused = await stack.holdfast('restore', target('plain'), '--yes');
	t.is(refused.exitCode, 2);
	t.regex(refused.stderr, new RegExp(`container \`${name}\` of \`docker compose run\` uses what is restored`));
	t.is(await stack.exec('plain', 'cat', '/data/f'), 'after');
	await stack.docker(['rm', '--force', name]);
	const restored = await stack.restore(target('plain'));
	t.is(restored.outcome, 'success', restored.error);
	t.is(await stack.exec('plain', 'cat', '/data/f'), 'before');
});

test.serial(
	'mounts in mounts, three deep, and a single file among them: each comes back as it was, and who writes to any of them is stopped',
	async t => {
		t.timeout(5 * 60_000);
		const fill = (word: string) =>
			`cd /data; echo ${word} >f; echo ${word} >in/f; echo ${word} >in/deep/f; echo "${word}: true" >app.yml; head -c 100000 /dev/urandom >in/deep/big-${word}`;
		const hashes = async () =>
			stack.exec(
				'nested',
				'sh',
				'-c',
				'cd /data; find . -type f ! -name ".*" ! -path "*holdfast-before-*" -print0 | sort -z | xargs -0 sha256sum',
			);
		await stack.exec('nested', 'sh', '-ec', fill('first'));
		const before = await hashes();
		const [backup] = await stack.backup(target('nested'));
		t.is(backup?.outcome, 'success', backup?.error);
		await stack.exec('nested', 'sh', '-ec', `${fill('second')}; rm in/deep/big-first`);
		const {stdout} = await stack.holdfast('restore', target('nested'), '--dry-run');
		t.regex(stdout, new RegExp(`stop +${stack.container('editor')}`));
		const restored = await stack.restore(target('nested'));
		t.is(restored.outcome, 'success', restored.error);
		t.is(await hashes(), before);
		t.is(await readFile(join(host, 'conf/app.yml'), 'utf8'), 'first: true\n');
		const undone = await stack.holdfast('restore', 'undo', restored.run);
		t.is(undone.exitCode, 0, undone.stderr);
		t.is(await readFile(join(host, 'conf/app.yml'), 'utf8'), 'second: true\n');
		t.is(await stack.exec('nested', 'cat', '/data/f', '/data/in/f', '/data/in/deep/f'), 'second\nsecond\nsecond');
	},
);

test.serial('who may write to everything on the engine is named, and neither asked about nor stopped', async t => {
	t.timeout(5 * 60_000);
	const image = await ensureImage('holdfast-test/app:latest');
	const managers = {[`${stack.project}-portainer`]: '/var/lib/docker/volumes:/volumes', [`${stack.project}-files`]: '/:/host'};
	for (const [name, mount] of Object.entries(managers)) {
		t.teardown(async () => stack.docker(['rm', '--force', name]));
		await stack.docker([
			'run',
			'--detach',
			'--name',
			name,
			'--label',
			'holdfast-test=storage',
			'--volume',
			mount,
			image,
			'sleep',
			'infinity',
		]);
	}

	await stack.exec('plain', 'sh', '-c', 'echo before >/data/f');
	const [backup] = await stack.backup(target('plain'));
	t.is(backup?.outcome, 'success', backup?.error);
	await stack.exec('plain', 'sh', '-c', 'echo after >/data/f');
	const {stdout} = await stack.holdfast('restore', target('plain'), '--dry-run', '--json');
	const planned = JSON.parse(stdout) as {acknowledge: string | null; warnings: string[]; stop: string[]};
	t.falsy(planned.acknowledge, stdout);
	for (const name of Object.keys(managers)) {
		t.true(
			planned.warnings.some(warning => warning.startsWith(`container \`${name}\` has the bind mount of `)),
			stdout,
		);
		t.false(planned.stop.includes(name));
	}

	const restored = await stack.restore(target('plain'));
	t.is(restored.outcome, 'success', restored.error);
	t.is(await stack.exec('plain', 'cat', '/data/f'), 'before');
	for (const name of Object.keys(managers)) {
		t.is(await stack.docker(['inspect', '--format', '{{.State.Status}} {{.RestartCount}}', name]), 'running 0');
	}
});

test.serial(
	'a link that leads elsewhere while its container runs: nothing is read or written by it until the container is started again',
	async t => {
		t.timeout(5 * 60_000);
		const refused = await until(
			'the change is seen',
			async () => {
				const [result] = await stack.backup(target('swinging'));
				return result?.outcome === 'failed' && result;
			},
			{timeout: 150_000, interval: 5000},
		);
		t.regex(refused.error ?? '', /leads to another folder than when its container was started.*restart the container/);
		const restore = await stack.holdfast('restore', target('swinging'), '--yes');
		t.is(restore.exitCode, 2, restore.stdout + restore.stderr);
		t.is(await readFile(join(host, 'other/word'), 'utf8'), 'of another\n');
		await stack.docker(['restart', '--time', '1', stack.container('swinging')]);
		const [again] = await stack.backup(target('swinging'));
		t.is(again?.outcome, 'success', again?.error);
		t.is(await stack.exec('swinging', 'cat', '/data/word'), 'of another', 'the container has it now, too');
		t.is(await stack.restic('dump', again?.sources[0]?.snapshot ?? '', `/${target('swinging')}/volume/data/word`), 'of another');
	},
);

test.serial('a link to what is of the system is left out as the system’s own is', async t => {
	const {stdout} = await stack.holdfast('plan', target('modules'));
	t.regex(stdout, /volume:\/more/);
	t.notRegex(stdout, /back up +volume:\/data/);
	t.regex(stdout, /mount "\/data" .* is left out: it is of the system/);
});
