/** Files and folders of the host that others were put in the place of while their container runs. Lane: waits. */
import {mkdir, mkdtemp, readFile, rename, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import type {RestoreResult} from '../../../base/results.ts';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

test('a file that an editor wrote anew is backed up as the host has it, and comes back; a folder in the place of another is refused, also after the agent was started anew', async t => {
	t.timeout(8 * 60_000);
	const image = await ensureImage('holdfast-test/app:latest');
	const host = await mkdtemp(join(tmpdir(), 'hf-rewritten-'));
	t.teardown(async () => rm(host, {recursive: true, force: true}));
	const at = (...path: string[]) => join(host, ...path);
	for (const name of ['moved', 'removed', 'same']) {
		await mkdir(at(name));
		await writeFile(at(name, 'word'), 'former\n');
	}

	await writeFile(at('conf.yml'), 'former\n');
	const service = (volume: string) => ({
		image,
		init: true,
		network_mode: 'none',
		command: ['sleep', 'infinity'],
		volumes: [`${host}/${volume}`],
		labels: {'holdfast.enable': 'true'},
	});
	const stack = await startStack(t, {
		services: {
			file: service('conf.yml:/app/conf.yml'),
			moved: service('moved:/data'),
			removed: service('removed:/data'),
			same: service('same:/data'),
		},
	});
	const target = (name: string) => `${stack.project}/${name}`;
	const dumped = async (name: string, {sources}: {sources: ReadonlyArray<{snapshot: string | null}>}, path: string) =>
		stack.restic('dump', sources[0]?.snapshot ?? '', `/${target(name)}/volume${path}`);
	const plan = async (name: string) => (await stack.holdfast('plan', target(name))).stdout;

	const [before] = await stack.backup(target('file'));
	t.is(before?.outcome, 'success', before?.error);
	await writeFile(at('conf.yml.new'), 'edited\n');
	await rename(at('conf.yml.new'), at('conf.yml'));
	t.is(await stack.exec('file', 'cat', '/app/conf.yml'), 'former', 'its container has what it was started with');
	await until('the change is seen', async () => (await plan('file')).includes('was replaced on the host since container'), {
		timeout: 150_000,
	});
	const [edited] = await stack.backup(target('file'));
	t.is(edited?.outcome, 'success', edited?.error);
	t.is(await dumped('file', edited ?? {sources: []}, '/app/conf.yml'), 'edited');

	const restored = await stack.restore(target('file'), '--point', before?.point ?? '');
	t.is(restored.outcome, 'success', restored.error);
	t.is(await readFile(at('conf.yml'), 'utf8'), 'former\n');
	await until('it was started again with it', async () => !(await plan('file')).includes('was replaced on the host'), {timeout: 150_000});
	const {stdout} = await stack.holdfast('restore', 'undo', restored.run, '--json');
	t.is((JSON.parse(stdout) as RestoreResult).outcome, 'success', stdout);
	t.is(await readFile(at('conf.yml'), 'utf8'), 'edited\n');
	t.is(await stack.exec('file', 'cat', '/app/conf.yml'), 'edited');

	// All of it while no agent looks.
	await docker(['stop', stack.container('holdfast')]);
	await rename(at('moved'), at('moved.old'));
	await rm(at('removed'), {recursive: true});
	for (const name of ['moved', 'removed']) {
		await mkdir(at(name));
		await writeFile(at(name, 'word'), 'another\n');
	}

	await docker(['start', stack.container('holdfast')]);
	await stack.ready();
	for (const name of ['moved', 'removed']) {
		const [refused] = await stack.backup(target(name));
		t.is(refused?.outcome, 'failed', name);
		t.regex(refused?.error ?? '', /leads to another folder than when its container was started.*restart the container/);
		await docker(['restart', '--time', '1', stack.container(name)]);
		const [taken] = await stack.backup(target(name));
		t.is(taken?.outcome, 'success', taken?.error);
		t.is(await dumped(name, taken ?? {sources: []}, '/data/word'), 'another');
	}

	const [same] = await stack.backup(target('same'));
	t.is(same?.outcome, 'success', same?.error);
});
