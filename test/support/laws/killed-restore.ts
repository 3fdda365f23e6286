/** A restore whose agent is killed at one of its steps, and whom the next life settles. */
import assert from 'node:assert/strict';
import type {RestoreResult} from '../../../base/results.ts';
import {connect} from '../stack/connect.ts';
import type {Stack} from '../stack.ts';
import {until} from '../until.ts';
import {striking, untilDead} from './kills.ts';

interface Killing {
	stack: Stack;
	token: string;
	target: string;
	/** The agent dies at the first of these steps. */
	step: string;
}

/** Resolves when the next life has ended all runs. @throws where the restore ended before it came to the step */
export async function killedRestore({stack, token, target, step}: Killing): Promise<RestoreResult> {
	const agent = await connect({stack, token});
	const strike = await striking(stack);
	const {run = ''} = await agent.call<{run?: string}>('restore', {target});
	let isStruck = false;
	for await (const event of agent.follow(run)) {
		if (event.type === 'step' && event.step === step) {
			isStruck = await strike(run);
			break;
		}
	}

	assert.ok(isStruck, `the restore of ${target} did not come to \`${step}\``);
	await untilDead(stack);
	await stack.docker(['start', stack.container('holdfast')]);
	await stack.ready();
	const next = await connect({stack, token});
	const result = await next.result<RestoreResult>(run);
	const isOver = async () => (await next.call<Array<{state: string}>>('runs?limit=10')).every(({state}) => state === 'finished');
	await until('the last run to end', isOver, {timeout: 120_000});
	return result;
}
