/** A repository on a server that takes root for nobody: said in one line, and what helps does. Lane: waits. Turns: repository. */
import {existsSync} from 'node:fs';
import {mkdir, mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import type {Finding} from '../../../base/shapes/targets.ts';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {idleApp} from '../../support/stack/idle.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const mounts = async () => readFile('/proc/self/mounts', 'utf8');

/** A folder of the machine that a server's export is mounted at, as containers see it, too. */
async function mounted(t: ExecutionContext): Promise<{folder: string; server: string}> {
	const top = await mkdtemp(join(tmpdir(), 'holdfast-squash-'));
	const folder = join(top, 'nas');
	await mkdir(folder);
	await execa('mount', ['--bind', folder, folder]);
	await execa('mount', ['--make-shared', folder]);
	const server = `hf-test-${top.slice(-6)}-nas`;
	t.teardown(async () => {
		await docker(['rm', '--force', '--volumes', server]).catch(() => {});
		// The server's, and the folder on itself
		while ((await mounts()).includes(folder)) {
			await execa('umount', ['--lazy', folder]);
		}

		await rm(top, {recursive: true});
	});
	const privileges = ['--device=/dev/fuse', '--cap-add=SYS_ADMIN', '--add-host=nas:127.0.0.1', '--label=holdfast-test=squash'];
	const image = await ensureImage('holdfast-test/squash:latest');
	await docker(['run', '--detach', '--name', server, ...privileges, '--volume=/export', `--volume=${folder}:/mnt/nas:shared`, image]);
	await until('the mount', async () => (await mounts()).includes(`${folder} fuse.sshfs`), {timeout: 30_000});
	return {folder, server};
}

const withFuse = existsSync('/dev/fuse') ? test : test.skip;

withFuse('what the server refuses is said to be its doing, and works when the export is given to whom it takes root for', async t => {
	t.timeout(8 * 60_000);
	const {folder, server} = await mounted(t);
	const stack = await startStack(t, {
		volumes: ['data', 'new-state'],
		services: {
			app: await idleApp(),
		},
	});
	const volumes = ['/var/run/docker.sock:/var/run/docker.sock', `${folder}:/repository`, 'new-state:/state', 'hf-cache:/cache'];
	for (const capabilities of [{}, {cap_add: ['DAC_OVERRIDE']}]) {
		await stack.change({volumes, ...capabilities});
		await until('the agent to answer', async () => (await stack.holdfast('targets')).exitCode === 0, {timeout: 60_000});
		const findings: Finding[] = JSON.parse((await stack.holdfast('doctor', '--json')).stdout);
		const found = findings.find(({level, subject}) => level === 'error' && subject === 'repository');
		t.regex(found?.message ?? '', /`\/repository` belongs to uid 0 .* on nas:\/export \(fuse\.sshfs\).*root_squash/);
		t.regex(found?.hint ?? '', /no_root_squash/);
		const [failed] = await stack.backup('--all');
		t.is(failed?.outcome, 'failed');
		t.regex(failed?.error ?? '', /takes root for nobody \(root_squash\)/);
		t.notRegex(JSON.stringify([found, failed]), /\.go:\d+|goroutine|restic exited/);
	}

	await docker(['exec', server, 'chown', 'nobody', '/export']);
	await stack.change({volumes});
	await stack.ready();
	await stack.exec('app', 'sh', '-c', 'echo good >/data/word');
	const [backup] = await stack.backup('--all');
	t.is(backup?.outcome, 'success', backup?.error);
	await stack.exec('app', 'sh', '-c', 'echo bad >/data/word');
	const restored = await stack.restore(`${stack.project}/app`);
	t.is(restored.outcome, 'success', restored.error);
	t.is(await stack.exec('app', 'cat', '/data/word'), 'good');
});
