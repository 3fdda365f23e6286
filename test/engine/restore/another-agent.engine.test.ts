/** Two stacks of one engine share a folder, and each has an agent of its own: no point is made of what the other one restores, and of all else it is. Lane: waits. */
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {ensureImage} from '../../support/images.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

/** Holds a restore when all is loaded, until `/tmp/go` is there. */
const held = {
	'holdfast.enable': 'true',
	'holdfast.restore.before': '["sh", "-c", "touch /tmp/waits; until test -e /tmp/go; do sleep 0.2; done"]',
	'holdfast.restore.before.timeout': '5m',
};

const untilHeld = async ({exec}: Pick<Stack, 'exec'>) =>
	until('it is loaded', async () => (await exec('app', 'ls', '/tmp')).includes('waits'), {timeout: 180_000});

test('a backup of a folder that the agent of another stack restores fails and says so, and is a success when that is over', async t => {
	t.timeout(8 * 60_000);
	const image = await ensureImage('holdfast-test/app:latest');
	const host = await mkdtemp(join(tmpdir(), 'hf-two-agents-'));
	t.teardown(async () => rm(host, {recursive: true, force: true}));
	await writeFile(join(host, 'word'), 'before\n');
	const app = {
		image,
		init: true,
		network_mode: 'none',
		command: ['sleep', 'infinity'],
		volumes: [`${host}:/data`],
		labels: held,
	};
	const one = await startStack(t, {services: {app}});
	const two = await startStack(t, {services: {app: {...app, labels: {'holdfast.enable': 'true'}}}});
	const target = ({project}: {project: string}) => `${project}/app`;
	const [point] = await one.backup(target(one));
	t.is(point?.outcome, 'success', point?.error);
	const [earlier] = await two.backup(target(two));
	t.is(earlier?.outcome, 'success', earlier?.error);
	await writeFile(join(host, 'word'), 'after\n');

	const restoring = one.restore(target(one));
	await untilHeld(one);
	const [refused] = await two.backup(target(two));
	await one.exec('app', 'touch', '/tmp/go');
	t.is(refused?.outcome, 'failed');
	t.regex(refused?.error ?? '', /another agent of this engine restores the bind mount of .*its run /);
	t.is(refused?.point, null);

	const restored = await restoring;
	t.is(restored.outcome, 'success', restored.error);
	const [again] = await two.backup(target(two));
	t.is(again?.outcome, 'success', again?.error);
	t.is(await two.restic('dump', again?.sources[0]?.snapshot ?? '', `/${target(two)}/volume/data/word`), 'before');
	t.is((await one.holdfast('restore', 'finish', restored.run, '--json')).exitCode, 0);
});

test('a backup of a folder that has the repository of another agent is none the worse while that one restores: what it writes there is no restore', async t => {
	t.timeout(8 * 60_000);
	const image = await ensureImage('holdfast-test/app:latest');
	const host = await mkdtemp(join(tmpdir(), 'hf-two-agents-'));
	t.teardown(async () => rm(host, {recursive: true, force: true}));
	const app = {image, init: true, network_mode: 'none', command: ['sleep', 'infinity']};
	const one = await startStack(t, {
		services: {app: {...app, volumes: ['data:/data'], labels: held}},
		volumes: ['data'],
		holdfast: {volumes: ['/var/run/docker.sock:/var/run/docker.sock', `${host}:/repository`, 'hf-state:/state', 'hf-cache:/cache']},
	});
	const two = await startStack(t, {services: {app: {...app, volumes: [`${host}:/data`], labels: {'holdfast.enable': 'true'}}}});
	await one.exec('app', 'sh', '-c', 'echo before > /data/word');
	const [point] = await one.backup(`${one.project}/app`);
	t.is(point?.outcome, 'success', point?.error);

	const restoring = one.restore(`${one.project}/app`);
	await untilHeld(one);
	const [made] = await two.backup(`${two.project}/app`);
	await one.exec('app', 'touch', '/tmp/go');
	t.is(made?.outcome, 'success', made?.error);
	const restored = await restoring;
	t.is(restored.outcome, 'success', restored.error);
	t.is((await one.holdfast('restore', 'finish', restored.run, '--json')).exitCode, 0);
});
