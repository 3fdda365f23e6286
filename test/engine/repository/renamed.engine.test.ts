/** A project with a new name gets what the old one filed with one command; then the points of both are one's. Lane: waits. Turns: repository. */
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import {stringify} from 'yaml';
import type {RestoreResult} from '../../../base/results.ts';
import type {PointView} from '../../../base/shapes/points.ts';
import type {Finding, StatusView} from '../../../base/shapes/targets.ts';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

test('services of a renamed project are paired by their names, and its former points are told and moved', async t => {
	t.timeout(8 * 60_000);
	const folder = await mkdtemp(join(tmpdir(), 'holdfast-renamed-'));
	t.teardown(async () => rm(folder, {recursive: true, force: true}));
	const file = join(folder, 'compose.yml');
	const idle = {image: await ensureImage('holdfast-test/app:latest'), command: ['sleep', 'infinity'], init: true, stop_grace_period: '1s'};
	const labels = {'holdfast.enable': 'true'};
	await writeFile(
		file,
		stringify({
			services: {
				web: {...idle, volumes: ['web:/data'], labels},
				mail: {...idle, volumes: ['mail:/data'], labels},
			},
			volumes: {web: {}, mail: {}},
		}),
	);
	const unique = folder.slice(-6).toLowerCase();
	const [former, present] = [`hf-test-former-${unique}`, `hf-test-present-${unique}`];
	const compose = async (project: string, ...argv: string[]) =>
		execa('docker', ['compose', '--file', file, '--project-name', project, ...argv]);
	for (const project of [former, present]) {
		t.teardown(async () => compose(project, 'down', '--volumes', '--timeout', '1'));
	}

	const write = async (project: string, word: string) => {
		for (const service of ['web', 'mail']) {
			await docker(['exec', `${project}-${service}-1`, 'sh', '-c', `echo ${word} of ${service} >/data/word`]);
		}
	};
	const words = async (project: string) =>
		Promise.all(['web', 'mail'].map(async service => docker(['exec', `${project}-${service}-1`, 'cat', '/data/word'])));

	await compose(former, 'up', '--detach');
	const stack = await startStack(t, {services: {}, holdfast: {environment: {HOLDFAST_PROJECTS: `${former},${present}`}}});
	await write(former, 'old');
	const backups = await stack.backup(`${former}/web`, `${former}/mail`);
	t.deepEqual(
		backups.map(({outcome}) => outcome),
		['success', 'success'],
	);

	await compose(former, 'down', '--timeout', '1');
	await compose(present, 'up', '--detach');
	await write(present, 'new');
	await until('the agent to see the new project', async () => (await stack.holdfast('targets')).stdout.includes(`${present}/web`));
	const {stdout: said} = await stack.holdfast('doctor', '--json');
	const findings = JSON.parse(said) as Finding[];
	t.true(
		findings.some(({subject, message}) => `${subject} ${message}`.includes(`${former}/web`)),
		said,
	);

	const {exitCode, stdout, stderr} = await stack.holdfast('restore', present, '--from-target', former, '--yes', '--json');
	t.is(exitCode, 0, stdout + stderr);
	t.is((JSON.parse(stdout) as RestoreResult).outcome, 'success');
	t.deepEqual(await words(present), ['old of web', 'old of mail']);

	// It has volumes of its own: a person says whether it is the same
	const missed = async () =>
		(JSON.parse((await stack.holdfast('status', '--json')).stdout) as StatusView[]).find(({target}) => target === `${former}/web`);
	const problems = JSON.stringify((await missed())?.problems);
	t.regex(problems, new RegExp(`probably \\W?\\W?${present}/web`), problems);
	t.regex(problems, new RegExp(`holdfast move ${former}/web ${present}/web`), problems);
	t.is((await stack.holdfast('move', `${former}/web`, `${present}/web`)).exitCode, 0);
	t.is(await missed(), undefined);
	const points = JSON.parse((await stack.holdfast('points', `${present}/web`, '--json')).stdout) as PointView[];
	t.deepEqual(
		points.map(({point}) => point),
		backups.filter(({target}) => target === `${former}/web`).map(({point}) => point),
	);
});
