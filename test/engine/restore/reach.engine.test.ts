/** What a restore may write: trials with mounts as people have them, destroyed and looked at with plain tools. Lane: waits. */
import {mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
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
	const acknowledged = await stack.restore(`${stack.project}/media`);
	t.is(acknowledged.outcome, 'success', acknowledged.error);
	t.deepEqual(await readdir(join(host, 'media')), ['old']);
	const undone = await stack.holdfast('restore', 'undo', acknowledged.run);
	t.is(undone.exitCode, 0, undone.stderr);
	t.deepEqual((await readdir(join(host, 'media'))).sort(), ['new', 'old']);
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
		t.is(exitCode, 2, service);
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
