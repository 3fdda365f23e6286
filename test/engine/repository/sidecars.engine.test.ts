/** The sidecar copied into each compose file, each looking at all: every target is backed up by one of them, and both say so. Lane: waits. Turns: repository. */
import {randomBytes} from 'node:crypto';
import test from 'ava';
import type {Finding, TargetView} from '../../../base/shapes/targets.ts';
import {ensureImage} from '../../support/images.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

test('each target is served by the agent of its own project; both back up all at once, and nobody fails', async t => {
	t.timeout(8 * 60_000);
	const image = await ensureImage('holdfast-test/app:latest');
	const unique = randomBytes(4).toString('hex');
	const names = [`hf-test-one-${unique}`, `hf-test-two-${unique}`];
	// Without it they would look at the stacks of other tests, too
	const environment = {HOLDFAST_PROJECTS: names.join(',')};
	const stacks: Stack[] = [];
	for (const project of names) {
		const app = {image, command: ['sleep', 'infinity'], init: true, volumes: ['data:/data'], labels: {'holdfast.enable': 'true'}};
		stacks.push(await startStack(t, {project, volumes: ['data'], holdfast: {environment}, services: {app}}));
	}

	for (const [index, {project, holdfast}] of stacks.entries()) {
		const other = stacks[1 - index] as Stack;
		await until('the agents to know one another', async () => {
			const targets = JSON.parse((await holdfast('targets', '--json')).stdout) as TargetView[];
			return targets.find(({target}) => target === `${other.project}/app`)?.servedBy === other.container('holdfast');
		});
		const targets = JSON.parse((await holdfast('targets', '--json')).stdout) as TargetView[];
		t.is(targets.find(({target}) => target === `${project}/app`)?.servedBy, undefined);
		const findings = JSON.parse((await holdfast('doctor', '--json')).stdout) as Finding[];
		const finding = findings.find(({subject}) => subject === other.container('holdfast'));
		t.regex(finding?.message ?? '', new RegExp(`it serves \`${other.project}/app\``), JSON.stringify(findings));
	}

	for (let night = 0; night < 3; night++) {
		const results = await Promise.all(stacks.map(async ({backup}) => backup('--all')));
		t.deepEqual(
			results.flat().map(({target, outcome, error}) => ({target, outcome, error})),
			names.map(project => ({target: `${project}/app`, outcome: 'success', error: undefined})),
		);
	}
});
