/**
 * Kills one part of a restore, of an undo or of letting go, at one event of its run, and asserts what must hold whatever was killed whenever:
 * the data is all of the old or all of the restored, what was replaced can be put back, and every container is in its state again.
 */
import assert from 'node:assert/strict';
import process from 'node:process';
import type {ExecutionContext} from 'ava';
import type {RestoreResult, StepEvent} from '../../agent/events.ts';
import {docker} from './docker.ts';
import {ensureImage} from './images.ts';
import {connect, leftOf, nameOf, type Scene, states} from './kills.ts';
import {killProcesses, runs} from './processes.ts';
import {allOf, type Shop, startShop} from './shop.ts';
import {until} from './until.ts';

export type Verb = 'restore' | 'undo' | 'finish';

export type Victim = 'agent' | 'worker' | 'dump worker' | 'restic' | 'pg_restore' | 'psql' | 'sqlite';

/** A step of a run, and the how-many-th of this name and subject it is. */
export type At = Pick<StepEvent, 'step' | 'subject'>;

export interface Yard {
	shop: Shop;
	scene: Scene;
}

type Client = Awaited<ReturnType<typeof connect>>;

/** @returns the id of the run */
async function start(agent: Client, verb: Verb, {shop}: Yard, restored: string): Promise<string> {
	const answer =
		verb === 'restore'
			? await agent.call<{run?: string}>('restore', {target: shop.target})
			: await agent.call<{run?: string}>(`restore/${verb}`, {run: restored});
	assert.ok(answer.run, `the ${verb} did not start: ${JSON.stringify(answer)}`);
	return answer.run;
}

/** A run that nobody disturbs. It must succeed. */
async function undisturbed(yard: Yard, verb: Verb, restored = ''): Promise<{run: string; steps: At[]}> {
	const agent = await connect(yard.scene);
	const run = await start(agent, verb, yard, restored);
	const steps: At[] = [];
	for await (const event of agent.follow(run)) {
		if (event.type === 'step') {
			steps.push(event);
		}
	}

	const result = await agent.result<RestoreResult>(run);
	assert.equal(result.outcome, 'success', result.error);
	return {run, steps};
}

/** Which victims can be alive at a step. */
function victimsAt({step, subject = ''}: At): Victim[] {
	const of = (...kinds: string[]) => kinds.some(kind => subject.includes(`${kind}:`));
	const found: Record<Victim, boolean> = {
		agent: true,
		worker:
			['load', 'stop'].includes(step) ||
			(step === 'safety-point' && of('volume', 'tar')) ||
			(step === 'swap' && of('volume', 'tar', 'sqlite')),
		'dump worker': step === 'load' && of('postgres'),
		restic: (step === 'load' && !of('tar')) || (step === 'safety-point' && of('volume', 'tar')) || (step === 'swap' && of('volume')),
		pg_restore: step === 'load' && of('postgres'),
		psql: ['load', 'swap'].includes(step) && of('postgres'),
		sqlite: ['load', 'swap'].includes(step) && of('sqlite'),
	};
	return (Object.keys(found) as Victim[]).filter(victim => found[victim]);
}

/** @returns whether it was there to be killed */
async function strike({shop}: Yard, victim: Victim, run: string): Promise<boolean> {
	const ofTarget = (argv: readonly string[]) => argv.some(word => word.includes(`/${shop.target}/`));
	const ofRole = (argv: readonly string[]) => argv.includes(`--username=${shop.role}`);
	switch (victim) {
		case 'restic':
			return killProcesses(argv => runs(argv, 'restic') && ofTarget(argv)) > 0;
		case 'pg_restore':
			return killProcesses(argv => runs(argv, 'pg_restore') && ofRole(argv)) > 0;
		case 'psql':
			return killProcesses(argv => runs(argv, 'psql') && ofRole(argv)) > 0;
		case 'sqlite':
			return killProcesses(argv => runs(argv, 'node') && argv.some(word => word.endsWith('/sqlite-files.ts')) && ofTarget(argv)) > 0;
		default: {
			const name = `holdfast-${victim === 'worker' ? 'repository' : 'dump'}-${run}`;
			const running = await docker(['ps', '--quiet', '--filter', `name=${name}`, '--filter', 'status=running']);
			return (
				running !== '' &&
				docker(['kill', '--signal', 'KILL', running])
					.then(() => true)
					.catch(() => false)
			);
		}
	}
}

/** Waits for the event, then for the victim, and kills it. @returns whether that came before the end of the run */
async function killAt(yard: Yard, agent: Client, run: string, at: At, victim: Victim): Promise<boolean> {
	const {stack} = yard.shop;
	const pid = Number(await docker(['inspect', '--format', '{{.State.Pid}}', stack.container('holdfast')]));
	let ended = false;
	let struck: Promise<boolean> | undefined;
	for await (const event of agent.follow(run)) {
		if (event.type === 'finished') {
			ended = true;
		} else if (struck === undefined && event.type === 'step' && event.step === at.step && event.subject === at.subject) {
			if (victim === 'agent') {
				process.kill(pid, 'SIGKILL');
				return true;
			}

			struck = until(`the ${victim}`, async () => ended || ((await strike(yard, victim, run)) && 'struck'), {
				interval: 2,
				timeout: 60_000,
			}).then(found => found === 'struck');
		}
	}

	ended = true;
	return (await struck) ?? false;
}

/** How many live databases there are: what must be one at every moment, the agent dead or alive. */
const liveDatabases = async ({shop}: Yard) =>
	shop.stack.exec('db', 'psql', '-XAtq', '-U', shop.role, '-d', 'postgres', '-c', "select count(*) from pg_database where datname = 'app'");

/**
 * One kill, and everything that must hold after it. The target held `second` before, and its newest point holds `first`; afterwards that is so again.
 * @throws with what did not hold; `missed` where the victim was never there in four runs
 */
async function survive(yard: Yard, verb: Verb, at: At, victim: Victim): Promise<void> {
	const {shop, scene} = yard;
	const before = await states(scene);
	let agent = await connect(scene);
	const restored = verb === 'restore' ? '' : (await undisturbed(yard, 'restore')).run;
	let run = await start(agent, verb, yard, restored);
	for (let missed = 0; !(await killAt(yard, agent, run, at, victim)); missed++) {
		assert.ok(verb === 'restore' && missed < 3, 'missed: the victim was never alive at this event');
		const {outcome, error} = await agent.result<RestoreResult>(run);
		assert.equal(outcome, 'success', `nothing was killed, yet: ${error}`);
		await undisturbed(yard, 'undo', run);
		run = await start(agent, verb, yard, restored);
	}

	if (victim === 'agent') {
		await until('the agent to be dead', async () => (await shop.stack.state('holdfast')) === 'exited', {interval: 20});
		assert.equal(await liveDatabases(yard), '1', 'while the agent is dead, there is no database of the live name');
		await docker(['start', shop.stack.container('holdfast')]);
		agent = await connect(scene);
	}

	await until(`the containers to be as before:\n${before}\n`, async () => (await states(scene)) === before, {
		timeout: 30_000,
		interval: 50,
	}).catch(async error => assert.fail(`${error.message}now:\n${await states(scene)}`));
	await until('the agent to answer', agent.isReady, {timeout: 60_000, interval: 50});
	const result = await agent.result<RestoreResult>(run);
	await settled(agent);
	await assertWhole(yard, verb, result, restored === '' ? run : restored);
	await until('the workers and their volume to be removed', async () => (await leftOf(run)) === '', {timeout: 30_000, interval: 100});
}

/** How many restores the agent has still to undo or to let go. */
const journal = async ({shop}: Yard): Promise<string> =>
	shop.stack.exec(
		'holdfast',
		'node',
		'--disable-warning=ExperimentalWarning',
		'-p',
		"new (require('node:sqlite').DatabaseSync)('/state/holdfast.db', {readOnly: true}).prepare('select count(*) as open from restores').get().open",
	);

/** No run is under way any more, those of the recovery neither. */
const settled = async (agent: Client): Promise<unknown> =>
	until(
		'the interrupted run to be settled',
		async () => (await agent.call<Array<{state: string}>>('runs?limit=10')).every(({state}) => state === 'finished'),
		{timeout: 60_000, interval: 50},
	);

/** All of one; and if it is the restored data, an undo brings back the other. Leaves the target as it was before. */
async function assertWhole(yard: Yard, verb: Verb, {outcome, error}: RestoreResult, restored: string): Promise<void> {
	const {shop} = yard;
	const found = await shop.read();
	assert.ok([allOf('first'), allOf('second')].includes(found), `what is live is not whole: ${found} (the run: ${outcome} ${error})`);
	const isRestored = found === allOf('first');
	if (verb === 'restore') {
		assert.equal(isRestored, outcome !== 'failed', `the run says ${outcome} (${error}), and what is live is ${found}`);
	}

	assert.ok(verb !== 'finish' || isRestored, 'letting go undid the restore');
	if (verb === 'finish') {
		await undisturbed(yard, 'finish', restored).catch((refused: Error) => assert.match(refused.message, /kept any more/));
		await shop.write('second');
	} else if (isRestored) {
		await undisturbed(yard, 'undo', restored);
	}

	assert.equal(await shop.read(), allOf('second'), 'after the undo');
	assert.deepEqual(await shop.kept(), [], 'something is left beside the live data');
	assert.equal(await journal(yard), '0', 'something is left in the journal');
}

const describe = ({shop}: Yard, verb: Verb, at: At, victim: Victim): string =>
	`${victim} killed at \`${verb}: ${nameOf(at, shop.stack.project)}\``;

const token = 'a-token-for-the-kills-of-restores';

/** A shop whose newest point holds `first`, and which holds `second`; and beside it two that must stay as they are. */
export async function startYard(t: ExecutionContext): Promise<Yard> {
	const bystander = {image: await ensureImage('holdfast-test/app:latest'), command: ['sleep', 'infinity'], init: true};
	const shop = await startShop(t, {
		holdfast: {environment: {HOLDFAST_API_TOKEN: token}},
		services: {frozen: bystander, asleep: bystander},
	});
	await shop.stack.compose('pause', 'frozen');
	await shop.stack.compose('stop', 'asleep');
	// A load that lasts long enough to be met.
	await shop.psql('create table filler as select n, md5(n::text) || md5((n + 1)::text) as payload from generate_series(1, 50000) n');
	await shop.write('first');
	const [backup] = await shop.stack.backup(shop.target);
	assert.equal(backup?.outcome, 'success', backup?.error);
	await shop.write('second');
	return {shop, scene: {stack: shop.stack, token, target: shop.target}};
}

/** A pattern of the names of kills, to look into one: `KILLS='^restic killed at .restore: swap'`. */
const only = process.env.KILLS;

/** The steps of a run that nobody disturbs. The target is as before, afterwards. */
async function stepsOf(yard: Yard, verb: Verb): Promise<At[]> {
	const restored = await undisturbed(yard, 'restore');
	if (verb === 'restore') {
		await undisturbed(yard, 'undo', restored.run);
		return restored.steps;
	}

	const {steps} = await undisturbed(yard, verb, restored.run);
	await yard.shop.write('second');
	return steps;
}

/** @returns how many were killed */
export async function everyKill(
	t: ExecutionContext,
	yard: Yard,
	verb: Verb,
	which: (kill: {victim: Victim; at: At}) => boolean,
): Promise<number> {
	const steps = await stepsOf(yard, verb);
	const failures: string[] = [];
	let kills = 0;
	for (const at of steps) {
		for (const victim of victimsAt(at).filter(candidate => which({victim: candidate, at}))) {
			const name = describe(yard, verb, at, victim);
			if (only !== undefined && !new RegExp(only).test(name)) {
				continue;
			}

			const begun = performance.now();
			const failure = await survive(yard, verb, at, victim).then(
				() => undefined,
				(error: Error) => `${name}: ${error.message}`,
			);
			t.log(failure === undefined ? '✔' : '✘', `${name}: ${((performance.now() - begun) / 1000).toFixed(1)} s`);
			t.pass(name);
			failures.push(...(failure === undefined ? [] : [failure]));
			kills++;
			if (process.env.KILLS_LIVE) {
				console.error(new Date().toISOString(), failure ?? name);
			}
		}
	}

	t.deepEqual(failures, []);
	return only === undefined ? kills : Number.POSITIVE_INFINITY;
}
