/**
 * Kills the agent, or what works for it, while a restore in place moves folders out of the way of files, clears around what is left alone, or puts that
 * back: what is left alone is whole at every moment, and all is as it was before, or restored and can be undone.
 */
import assert from 'node:assert/strict';
import process from 'node:process';
import type {TestFn} from 'ava';
import type {RestoreResult} from '../../../base/results.ts';
import {findProcesses, killProcesses, runs} from '../machine/processes.ts';
import {type Client, connect} from '../stack/connect.ts';
import {bringUp} from '../stack/shared.ts';
import {until} from '../until.ts';
import {declareKills, type Kill, striking, untilDead} from './kills.ts';
import {type Sheltered, shelteredScene} from './sheltered.ts';

const token = 'a-token-for-the-kills-of-what-is-left-alone';

type Verb = 'restore' | 'undo';

/** What a restore in place, or its undo, does with such folders, in their order. */
const moments: Record<Verb, Record<string, (argv: readonly string[], target: string) => boolean>> = {
	restore: {
		'looks for folders': isProgram('sheltered', 'find'),
		'takes folders away': isProgram('way'),
		writes: isWriting,
		'clears around': isProgram('sheltered', 'clear'),
	},
	undo: {
		'looks for folders': isProgram('sheltered', 'find'),
		writes: isWriting,
		'puts back': isProgram('sheltered', 'back'),
	},
};

function isProgram(name: string, verb?: string) {
	return (argv: readonly string[], target: string): boolean =>
		argv.some(word => word.endsWith(`/${name}.program.js`)) &&
		(verb === undefined || argv.includes(verb)) &&
		argv.some(word => word.includes(`/${target}/`));
}

function isWriting(argv: readonly string[], target: string): boolean {
	return runs(argv, 'restic') && argv.includes('restore') && !argv.includes('--dry-run') && argv.some(word => word.includes(`/${target}/`));
}

type Victim = 'agent' | 'program';

interface Yard extends Sheltered {
	/** All that was there before. */
	before: string;
	/** How many files are left alone. */
	alone: number;
}

const start = async (agent: Client, {target}: Yard, undone?: string): Promise<string> => {
	const answer =
		undone === undefined
			? await agent.call<{run?: string}>('restore', {target, acknowledged: true})
			: await agent.call<{run?: string}>('restore/undo', {run: undone});
	assert.ok(answer.run, `it did not start: ${JSON.stringify(answer)}`);
	return answer.run;
};

async function undisturbed(yard: Yard, undone?: string): Promise<string> {
	const agent = await connect({stack: yard.stack, token});
	const run = await start(agent, yard, undone);
	const {outcome, error} = await agent.result<RestoreResult>(run);
	assert.equal(outcome, 'success', error);
	return run;
}

/** Waits for the moment, or for the end of the run. @returns whether it came */
async function killAt(agent: Client, run: string, isThere: (argv: readonly string[]) => boolean, kill: () => unknown): Promise<boolean> {
	let ended = false;
	const following = (async () => {
		for await (const event of agent.follow(run)) {
			ended ||= event.type === 'finished';
		}
	})();
	const struck = await until(
		'the moment',
		() => {
			if (findProcesses(isThere).length > 0) {
				kill();
				return 'struck';
			}

			return ended && 'missed';
		},
		{interval: 1, timeout: 120_000},
	);
	await following;
	return struck === 'struck';
}

/** @throws with what did not hold */
async function survive(
	yard: Yard,
	verb: Verb,
	moment: (argv: readonly string[], target: string) => boolean,
	victim: Victim,
): Promise<void> {
	const {stack, target, before, alone} = yard;
	const isThere = (argv: readonly string[]) => moment(argv, target);
	let agent = await connect({stack, token});
	await until('the agent to answer', agent.isReady, {timeout: 120_000});
	const strike = await striking(stack);
	let restored = verb === 'undo' ? await undisturbed(yard) : undefined;
	let run = await start(agent, yard, restored);
	for (
		let missed = 0;
		!(await killAt(agent, run, isThere, () => (victim === 'agent' ? void strike(run) : killProcesses(isThere))));
		missed++
	) {
		assert.ok(missed < 3, 'missed: the moment never came');
		const {outcome, error} = await agent.result<RestoreResult>(run);
		assert.equal(outcome, 'success', `nothing was killed, yet: ${error}`);
		if (verb === 'restore') {
			await undisturbed(yard, run);
		}

		restored = verb === 'undo' ? await undisturbed(yard) : undefined;
		run = await start(agent, yard, restored);
	}

	if (victim === 'agent') {
		await untilDead(stack);
		await stack.docker(['start', stack.container('holdfast')]);
		await stack.ready();
		agent = await connect({stack, token});
	}

	const isOver = async () => (await agent.call<Array<{state: string}>>('runs?limit=10')).every(({state}) => state === 'finished');
	await until('the runs to end', isOver, {timeout: 180_000});
	await until('the application to run', async () => (await stack.state('app')) === 'running', {timeout: 120_000});
	assert.equal(await yard.unharmed(), alone, 'something that is left alone is lost');
	const {outcome, error} = await agent.result<RestoreResult>(run);
	if ((await yard.everything()) !== before) {
		assert.ok(verb === 'undo' || outcome !== 'failed', `the restore says ${outcome} (${error}), and what is live is not as before`);
		if (verb === 'restore') {
			await yard.assertRestored();
		}

		await undisturbed(yard, restored ?? run);
	}

	assert.equal(await yard.everything(), before);
	assert.equal(await yard.unharmed(), alone);
}

/** Declares all tests of a file. */
export async function shelteredKills(test: TestFn): Promise<void> {
	const {value: yard, takeDown} = await bringUp(async (t): Promise<Yard> => {
		const scene = await shelteredScene(t, {isInPlace: true, token});
		return {...scene, before: await scene.everything(), alone: await scene.unharmed()};
	});
	const kills = (['restore', 'undo'] as const).flatMap(verb =>
		Object.entries(moments[verb]).flatMap(([step, moment]) =>
			(['agent', 'program'] as const).map(
				(victim): Kill => ({
					name: `${victim} killed when \`${verb}\` ${step}`,
					step,
					verb,
					victim,
					survive: async () => survive(yard, verb, moment, victim),
				}),
			),
		),
	);
	test.after.always('the stack is taken down', takeDown);
	declareKills(test, kills, {isWhole: true});
	test.serial('there is something to lose', t => {
		t.is(yard.alone, 9);
		t.is(process.getuid?.(), 0);
	});
}
