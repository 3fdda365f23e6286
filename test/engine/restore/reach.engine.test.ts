/** What a restore may write: trials with mounts as people have them, destroyed and looked at with plain tools. Lane: waits. Turns: restore. */
import {createHash} from 'node:crypto';
import {mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {basename, join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {RestoreResult} from '../../../base/results.ts';
import {ensureImage} from '../../support/images.ts';
import {startStack} from '../../support/stack.ts';

test("the machine's own folders and what is read-only are neither stored nor written; named, only after an acknowledgement", async t => {
	const image = await ensureImage('holdfast-test/app:latest');
	const host = await mkdtemp(join(tmpdir(), 'holdfast-reach-'));
	t.teardown(async () => rm(host, {recursive: true, force: true}));
	await mkdir(join(host, 'modules/6.1-old'), {recursive: true});
	await writeFile(join(host, 'modules/6.1-old/m'), 'old');
	await mkdir(join(host, 'run'));
	await mkdir(join(host, 'media'));
	await writeFile(join(host, 'media/old'), 'old');
	await writeFile(join(host, 'passwd'), 'root\n');
	const command = ['sleep', 'infinity'];
	const stack = await startStack(t, {
		volumes: ['data'],
		services: {
			ha: {
				image,
				command,
				init: true,
				volumes: ['data:/config', `${host}/modules:/lib/modules:ro`, `${host}/passwd:/host/etc/passwd:ro`, `${host}/run:/run/dbus`],
				labels: {'holdfast.enable': 'true'},
			},
			media: {
				image,
				command,
				init: true,
				volumes: [`${host}/media:/media:ro`],
				labels: {'holdfast.enable': 'true', 'holdfast.volumes': '/media'},
			},
			true: {
				image,
				command,
				init: true,
				volumes: ['data:/data', '/proc:/host/proc:ro', '/sys:/host/sys:ro', '/dev:/dev', '/run:/run:ro'],
				labels: {'holdfast.enable': 'true'},
			},
		},
	});
	await stack.exec('ha', 'sh', '-c', 'echo before >/config/f');
	for (const target of ['ha', 'media', 'true']) {
		const [result] = await stack.backup(`${stack.project}/${target}`);
		t.is(result?.outcome, 'success', result?.error);
	}

	const plan = await stack.holdfast('plan', `${stack.project}/ha`);
	t.regex(plan.stdout, /"\/lib\/modules" .* is left out/);
	t.regex(plan.stdout, /"\/run\/dbus" .* is left out: it is of the system/);

	await mkdir(join(host, 'modules/6.12-new'));
	await writeFile(join(host, 'modules/6.12-new/m'), 'new');
	await writeFile(join(host, 'passwd'), 'root\nnewuser\n');
	await writeFile(join(host, 'run/newsocket'), '');
	await writeFile(join(host, 'media/new'), 'new');
	await stack.exec('ha', 'sh', '-c', 'echo after >/config/f');
	const restored = await stack.restore(`${stack.project}/ha`);
	t.is(restored.outcome, 'success', restored.error);
	t.is(await stack.exec('ha', 'cat', '/config/f'), 'before');
	t.deepEqual((await readdir(join(host, 'modules'))).sort(), ['6.1-old', '6.12-new']);
	t.is(await readFile(join(host, 'passwd'), 'utf8'), 'root\nnewuser\n');
	t.deepEqual(await readdir(join(host, 'run')), ['newsocket']);

	const request = {target: `${stack.project}/media`, point: 'latest', only: [], trigger: 'api'};
	const refused = await stack.api('POST', '/api/v1/restore', request);
	t.not(refused.status, 202);
	t.regex(JSON.stringify(refused.body), /must be acknowledged.*can only be read by the container/);
	t.deepEqual((await readdir(join(host, 'media'))).sort(), ['new', 'old']);
	const counted = await stack.holdfast('restore', `${stack.project}/media`, '--dry-run', '--json');
	t.like(JSON.parse(counted.stdout).storages[0], {source: 'volume:/media', written: 0, removed: 1, mountedBy: []});
	const acknowledged = await stack.restore(`${stack.project}/media`);
	t.is(acknowledged.outcome, 'success', acknowledged.error);
	const kept = `.volume.holdfast-before-${acknowledged.run}`;
	t.deepEqual((await readdir(join(host, 'media'))).sort(), [kept, `${kept}.out`, `${kept}.root`, 'old']);
	const undone = await stack.holdfast('restore', 'undo', acknowledged.run);
	t.is(undone.exitCode, 0, undone.stderr);
	t.deepEqual((await readdir(join(host, 'media'))).sort(), ['new', 'old']);
});

/** Each pack is called by the hash of its content. Gives how many there are. */
async function wholePacks(t: ExecutionContext, repository: string): Promise<number> {
	const names = await readdir(join(repository, 'data'), {recursive: true, withFileTypes: true});
	const packs = names.filter(entry => entry.isFile()).map(({parentPath, name}) => join(parentPath, name));
	for (const pack of packs) {
		t.is(
			createHash('sha256')
				.update(await readFile(pack))
				.digest('hex'),
			basename(pack),
		);
	}

	return packs.length;
}

test("a mount that contains Holdfast's own folders is backed up without them, and no restore and no undo touches them", async t => {
	t.timeout(5 * 60_000);
	const image = await ensureImage('holdfast-test/app:latest');
	const host = await mkdtemp(join(tmpdir(), 'holdfast-own-'));
	t.teardown(async () => rm(host, {recursive: true, force: true}));
	const own = ['backups', 'hf/state', 'hf/cache'].map(name => join(host, name));
	const [repository = ''] = own;
	for (const folder of [...own, join(host, 'sub')]) {
		await mkdir(folder, {recursive: true});
	}

	const write = async (word: string) => {
		for (const name of ['a', 'sub/b', 'hf/of-the-application']) {
			await writeFile(join(host, name), word);
		}
	};
	const read = async () => Promise.all(['a', 'sub/b', 'hf/of-the-application'].map(async name => readFile(join(host, name), 'utf8')));
	const inodes = async () => Promise.all(own.map(async folder => (await stat(folder)).ino));
	await write('before');
	const stack = await startStack(t, {
		services: {app: {image, command: ['sleep', 'infinity'], init: true, volumes: [`${host}:/app`], labels: {'holdfast.enable': 'true'}}},
		holdfast: {
			volumes: [
				'/var/run/docker.sock:/var/run/docker.sock',
				`${repository}:/repository`,
				`${host}/hf/state:/state`,
				`${host}/hf/cache:/cache`,
			],
		},
	});
	const target = `${stack.project}/app`;
	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);
	const plan = await stack.holdfast('plan', target);
	t.regex(plan.stdout, /"\/app\/backups", "\/app\/hf\/cache", "\/app\/hf\/state" are left out of "\/app"/);
	const stored = (await stack.restic('ls', 'latest', '--tag', 'holdfast', '--path', `/${target}/volume/app`)).split('\n');
	t.true(
		stored.some(path => path.endsWith('/app/hf/of-the-application')),
		stored.join('\n'),
	);
	t.false(
		stored.some(path => /\/app\/(backups|hf\/state|hf\/cache)(\/|$)/.test(path)),
		stored.join('\n'),
	);

	const were = await inodes();
	const packs = await wholePacks(t, repository);
	await write('after');
	await rm(join(host, 'sub'), {recursive: true});
	await mkdir(join(host, 'new'));
	await writeFile(join(host, 'new/file'), 'new');
	const damaged = (await readdir(host)).sort();
	const refused = await stack.holdfast('restore', target, '--only', 'volume:/app/hf', '--dry-run');
	t.is(refused.exitCode, 2);
	t.regex(refused.stderr, /is Holdfast's own/);
	const restored = await stack.restore(target);
	t.is(restored.outcome, 'success', restored.error);
	t.deepEqual(await read(), ['before', 'before', 'before']);
	t.deepEqual((await readdir(host)).sort(), ['a', 'backups', 'hf', 'sub']);
	t.deepEqual(await inodes(), were, 'they were not moved');
	t.true((await wholePacks(t, repository)) >= packs);
	await stack.restic('check', '--read-data');

	const undone = await stack.holdfast('restore', 'undo', restored.run);
	t.is(undone.exitCode, 0, undone.stderr);
	t.deepEqual((await readdir(host)).sort(), damaged);
	t.is(await readFile(join(host, 'a'), 'utf8'), 'after');
	t.is(await readFile(join(host, 'new/file'), 'utf8'), 'new');
	t.deepEqual(await inodes(), were);
	t.true((await wholePacks(t, repository)) >= packs);
	await stack.restic('check', '--read-data');
	t.is((await stack.backup(target))[0]?.outcome, 'success');
});

test('a path that the engine cannot carry is refused, and not stored as an empty folder', async t => {
	const image = await ensureImage('holdfast-test/app:latest');
	const app = (labels: string, rest: Record<string, unknown> = {}) => ({
		image,
		init: true,
		command: ['sh', '-c', 'mkdir -p /var/lib/app; echo precious >/var/lib/app/f; exec sleep infinity'],
		labels: {'holdfast.enable': 'true', 'holdfast.tar': labels},
		...rest,
	});
	const stack = await startStack(t, {
		volumes: ['data'],
		services: {
			short: app('/var/lib/app', {tmpfs: ['/var/lib/app']}),
			long: app('/var/lib/app', {volumes: [{type: 'tmpfs', target: '/var/lib/app'}]}),
			above: app('/var/lib', {tmpfs: ['/var/lib/app']}),
			linked: app('/srv/link/app', {
				tmpfs: ['/var/lib/app'],
				command: ['sh', '-c', 'ln -s /var/lib /srv/link; echo precious >/var/lib/app/f; exec sleep infinity'],
			}),
			inside: app('/var/lib/app', {
				cap_add: ['SYS_ADMIN'],
				security_opt: ['apparmor=unconfined', 'seccomp=unconfined'],
				command: [
					'sh',
					'-ec',
					'mkdir -p /var/lib/app; mount -t tmpfs tmpfs /var/lib/app; echo precious >/var/lib/app/f; exec sleep infinity',
				],
			}),
			mount: app('/var/lib', {volumes: ['data:/var/lib/app']}),
			readonly: app('/etc', {read_only: true, command: ['sleep', 'infinity']}),
			good: app('/var/lib/app'),
		},
	});
	const why: Record<string, RegExp> = {
		short: /is in the tmpfs "\/var\/lib\/app"/,
		long: /is in the tmpfs "\/var\/lib\/app"/,
		above: /has in it the tmpfs "\/var\/lib\/app"/,
		linked: /"\/srv\/link\/app" \("\/var\/lib\/app"\) is in the tmpfs/,
		inside: /is in "\/var\/lib\/app", which was mounted in the running container/,
		mount: /has the mount "\/var\/lib\/app" \(volume .*\) in it/,
		readonly: /could not be put back/,
	};
	for (const [service, reason] of Object.entries(why)) {
		const {exitCode, stderr} = await stack.holdfast('backup', `${stack.project}/${service}`);
		t.is(exitCode, 1, service);
		t.regex(stderr, reason, service);
	}

	const target = `${stack.project}/good`;
	const [result] = await stack.backup(target);
	t.is(result?.outcome, 'success', result?.error);
	// The point is good, and the container that it would be put into is another.
	await stack.exec('good', 'sh', '-c', 'echo changed >/var/lib/app/f');
	t.is((await stack.restore(target)).outcome, 'success');
	t.is(await stack.exec('good', 'cat', '/var/lib/app/f'), 'precious');
	const planned = await stack.holdfast('restore', `${stack.project}/short`, '--from-target', target, '--dry-run');
	t.is(planned.exitCode, 2);
	t.regex(planned.stderr, /cannot be put back: "\/var\/lib\/app" is in the tmpfs/);
	t.is(await stack.exec('short', 'cat', '/var/lib/app/f'), 'precious');
});

/** A volume and a path: between the two swaps the container of the path is taken away, so that neither it nor anything like it can be put back. */
async function failingRestore(t: ExecutionContext) {
	const image = await ensureImage('holdfast-test/app:latest');
	const command = ['sleep', 'infinity'];
	const stack = await startStack(t, {
		volumes: ['data'],
		services: {
			app: {
				image,
				command,
				init: true,
				volumes: ['data:/data'],
				labels: {'holdfast.enable': 'true', 'holdfast.volumes': 'true', 'holdfast.tar': '/etc/app'},
			},
			looker: {image, command, init: true, volumes: ['data:/data:ro']},
		},
	});
	const target = `${stack.project}/app`;
	const write = async (word: string) =>
		stack.exec(
			'app',
			'sh',
			'-ec',
			`mkdir -p /etc/app; echo ${word} >/etc/app/word; echo ${word} >/data/word; cd /data; for n in $(seq 3000); do echo ${word} >$n; done`,
		);
	await write('first');
	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);
	await write('second');
	const {body} = await stack.api('POST', '/api/v1/restore', {target, point: 'latest', only: [], trigger: 'api'});
	const {run} = body as {run: string};
	let result: RestoreResult | undefined;
	for await (const event of stack.follow(run)) {
		if (event.type === 'step' && event.step === 'swap' && event.subject === 'volume:/data') {
			await stack.docker(['rm', '--force', stack.container('app')]);
		}

		if (event.type === 'finished') {
			result = event.result as RestoreResult;
		}
	}

	return {stack, target, run, result};
}

test('a restore that failed and could not be put back is finished: what is there stays, and nothing is kept', async t => {
	t.timeout(5 * 60_000);
	const begun = performance.now();
	const {stack, target, run, result} = await failingRestore(t);
	t.is(result?.outcome, 'failed');
	t.deepEqual(
		result?.replaced.map(name => name.split(' ')[0]),
		['tar:/etc/app:'],
		'what is back is not listed',
	);
	t.true(performance.now() - begun < 100_000, 'what cannot change is not tried for minutes');
	t.regex((await stack.holdfast('doctor', '--json')).stdout, new RegExp(`restore ${run} failed, and left it half replaced`));
	await stack.compose('up', '--detach', 'app');
	const finished = await stack.holdfast('restore', 'finish', run);
	t.is(finished.exitCode, 0, finished.stderr + finished.stdout);
	t.is((await stack.holdfast('restore', 'undo', run)).exitCode, 2, 'there is nothing left to undo');
	const [backup] = await stack.backup(target, '--json');
	t.not(backup?.error?.includes('half replaced'), true, 'backups are made again');
});

test('a restore that failed and could not be put back is undone when its container is back', async t => {
	t.timeout(5 * 60_000);
	const {stack, run, result} = await failingRestore(t);
	t.is(result?.outcome, 'failed');
	await stack.compose('up', '--detach', 'app');
	const undone = await stack.holdfast('restore', 'undo', run);
	// Where all could be put back in the run already, there is nothing to undo.
	t.is(undone.exitCode, 0, undone.stderr + undone.stdout);
	t.is(await stack.exec('looker', 'cat', '/data/word'), 'second');
	t.is(await stack.state('app'), 'running');
});
