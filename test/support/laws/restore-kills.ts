/**
 * Kills one part of a restore, of an undo or of letting go, at one event of its run, and asserts what must hold whatever was killed whenever:
 * the data is all of the old or all of the restored, what was replaced can be put back, and every container is in its state again.
 */
import assert from 'node:assert/strict';
import type {ExecutionContext, TestFn} from 'ava';
import type {StepEvent} from '../../../base/events.ts';
import type {RestoreResult} from '../../../base/results.ts';
import {ensureImage} from '../images.ts';
import {killProcesses, runs} from '../machine/processes.ts';
import type {SecondEngine} from '../machine/second-engine.ts';
import {allOf, type Shop, startShop} from '../shop.ts';
import {type Client, connect} from '../stack/connect.ts';
import {bringUp} from '../stack/shared.ts';
import {until} from '../until.ts';
import {declareKills, type Kill, killAt, leftOf, nameOf, type Strike, states, strikeWorker, striking, untilDead} from './kills.ts';

type Verb = 'restore' | 'undo' | 'finish';

type Victim = 'agent' | 'engine' | 'worker' | 'dump worker' | 'restic' | 'pg_restore' | 'psql' | 'sqlite' | 'entries';

/** A step of a run. */
type At = Pick<StepEvent, 'step' | 'subject'>;

interface Yard {
	shop: Shop;
	/** Its volume is written in place. */
	inPlace?: boolean | undefined;
	/** Where the shop has one of its own: then it may be killed. */
	engine?: SecondEngine | undefined;
}

const token = 'a-token-for-the-kills-of-restores';

const reach = async ({shop: {stack}}: Yard): Promise<Client> => connect({stack, token});

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
	const agent = await reach(yard);
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
function victimsAt({engine, inPlace = false}: Yard, {step, subject = ''}: At): Victim[] {
	const of = (...kinds: string[]) => kinds.some(kind => subject.includes(`${kind}:`));
	const overwritten = inPlace ? ['volume', 'tar'] : ['tar'];
	const found: Record<Victim, boolean> = {
		agent: engine === undefined,
		engine: engine !== undefined,
		worker: ['load', 'stop'].includes(step) || (step === 'safety-point' && of('tar')) || (step === 'swap' && of('volume', 'tar', 'sqlite')),
		'dump worker': step === 'load' && of('postgres'),
		restic:
			(step === 'load' && !of('tar')) || (step === 'safety-point' && of(...overwritten)) || (step === 'swap' && inPlace && of('volume')),
		pg_restore: step === 'load' && of('postgres'),
		psql: ['load', 'swap'].includes(step) && of('postgres'),
		sqlite: ['load', 'swap'].includes(step) && of('sqlite'),
		entries: ['load', 'swap'].includes(step) && !inPlace && of('volume'),
	};
	return (Object.keys(found) as Victim[]).filter(victim => found[victim]);
}

async function strikeFor({shop: {stack, target, role}, engine}: Yard, victim: Victim): Promise<Strike> {
	const ofTarget = (argv: readonly string[]) => argv.some(word => word.includes(`/${target}/`));
	const ofRole = (argv: readonly string[]) => argv.includes(`--username=${role}`);
	switch (victim) {
		case 'agent':
			return striking(stack);
		case 'engine':
			return async () => engine?.kill().then(() => true) ?? false;
		case 'restic':
			return async () => killProcesses(argv => runs(argv, 'restic') && ofTarget(argv)) > 0;
		case 'pg_restore':
		case 'psql':
			return async () => killProcesses(argv => runs(argv, victim) && ofRole(argv)) > 0;
		case 'sqlite':
		case 'entries': {
			const program = victim === 'sqlite' ? '/files.program.js' : '/entries.program.js';
			return async () => killProcesses(argv => runs(argv, 'node') && argv.some(word => word.endsWith(program)) && ofTarget(argv)) > 0;
		}
		default:
			return async run => strikeWorker(stack, victim, run);
	}
}

/**
 * One kill, and everything that must hold after it. The target held `second` before, and its newest point holds `first`; afterwards that is so again.
 * @throws with what did not hold; `missed` where the victim was never there in four runs
 */
async function survive(yard: Yard, verb: Verb, at: At, victim: Victim): Promise<void> {
	const {shop} = yard;
	const before = await states(shop);
	let agent = await reach(yard);
	// Where the kill before this one went wrong, it may be on its way still
	await until('the agent to answer', agent.isReady, {timeout: 120_000});
	const toBeSettled = async () => (verb === 'restore' ? '' : (await undisturbed(yard, 'restore')).run);
	let restored = await toBeSettled();
	let run = await start(agent, verb, yard, restored);
	const strike = await strikeFor(yard, victim);
	for (let missed = 0; !(await killAt(agent, run, at, {victim, strike})); missed++) {
		assert.ok(missed < 3, 'missed: the victim was never alive at this event');
		const {outcome, error} = await agent.result<RestoreResult>(run);
		assert.equal(outcome, 'success', `nothing was killed, yet: ${error}`);
		if (verb === 'restore') {
			await undisturbed(yard, 'undo', run);
		} else if (verb === 'finish') {
			await shop.write('second');
		}

		restored = await toBeSettled();
		run = await start(agent, verb, yard, restored);
	}

	await bringBack(yard, victim);
	agent = await reach(yard);
	await until(`the containers to be as before:\n${before}\n`, async () => (await states(shop)) === before, {
		timeout: 120_000,
	}).catch(async error => assert.fail(`${error.message}now:\n${await states(shop)}\n${await lastWords(shop)}`));
	await until('the agent to answer', agent.isReady, {timeout: 120_000});
	const result = await agent.result<RestoreResult>(run);
	await settled(yard, agent);
	await assertWhole(yard, verb, result, restored === '' ? run : restored);
	await until('the workers and their volume to be removed', async () => (await leftOf(run, shop.stack)) === '', {
		timeout: 120_000,
	});
}

/** What the agent said last, for whoever looks into a failure. */
const lastWords = async ({stack}: Shop): Promise<string> => stack.docker(['logs', '--tail', '40', stack.container('holdfast')]);

/** Whoever is dead for good lives again. Until the agent does, the live database must be there all the same. */
async function bringBack({shop, engine}: Yard, victim: Victim): Promise<void> {
	const {stack, role} = shop;
	if (victim === 'agent') {
		await untilDead(stack);
	} else if (victim === 'engine') {
		await engine?.start();
	} else {
		return;
	}

	const sql = "select count(*) from pg_database where datname = 'app'";
	const live = await until('the server to answer', async () => stack.exec('db', 'psql', '-XAtq', '-U', role, '-d', 'postgres', '-c', sql));
	assert.equal(live, '1', 'while the agent is dead, there is no database of the live name');
	if (victim === 'agent') {
		await stack.docker(['start', stack.container('holdfast')]);
	}
}

/** How many restores the agent has still to undo or to let go; or of these, those that are half done. */
const journal = async ({shop}: Yard, which = 'true'): Promise<string> =>
	shop.stack.exec(
		'holdfast',
		'node',
		'--disable-warning=ExperimentalWarning',
		'-p',
		`new (require('node:sqlite').DatabaseSync)('/state/holdfast.db', {readOnly: true}).prepare("select count(*) as open from restores where ${which}").get().open`,
	);

/** Nothing is half done, and no run is under way any more, those of the recovery neither. */
async function settled(yard: Yard, agent: Client): Promise<void> {
	const patience = {timeout: 120_000};
	const isOver = async () => (await agent.call<Array<{state: string}>>('runs?limit=10')).every(({state}) => state === 'finished');
	// The agent is asked first: its answer costs nothing, and the journal's a program that starts beside it.
	await until('the runs of the recovery to end', isOver, patience);
	await until('what is half done to be settled', async () => (await journal(yard, "phase <> 'swapped'")) === '0', patience);
	await until('the last run to end', isOver, patience);
}

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
		assert.equal(await shop.read(), allOf('second'), 'after the undo');
	}

	const [kept, open] = await Promise.all([shop.kept(), journal(yard)]);
	assert.deepEqual(kept, [], 'something is left beside the live data');
	assert.equal(open, '0', 'something is left in the journal');
}

/** A shop whose newest point holds `first`, and which holds `second`; and beside it two that must stay as they are. */
async function startYard(t: Pick<ExecutionContext, 'teardown'>, {engine, inPlace}: Pick<Choice, 'engine' | 'inPlace'>): Promise<Yard> {
	const bystander = {image: await ensureImage('holdfast-test/app:latest'), command: ['sleep', 'infinity'], init: true};
	// When an engine comes again after its death, it ends what still runs, and starts what has this policy: what was stopped by hand, too.
	const restart = engine === undefined ? {} : {restart: 'always', stop_grace_period: '2s'};
	const shop = await startShop(t, {
		...(engine && {engine}),
		holdfast: {environment: {HOLDFAST_API_TOKEN: token}, ...restart},
		services: {asleep: bystander, ...(engine === undefined ? {frozen: bystander} : {})},
		common: restart,
		exclude: inPlace ? 'none-[x]' : undefined,
	});
	await shop.stack.compose('stop', 'asleep');
	if (engine === undefined) {
		await shop.stack.compose('pause', 'frozen');
	}

	// A load that lasts long enough to be met.
	await shop.psql('create table filler as select n, md5(n::text) || md5((n + 1)::text) as payload from generate_series(1, 50000) n');
	await shop.write('first');
	const [backup] = await shop.stack.backup(shop.target);
	assert.equal(backup?.outcome, 'success', backup?.error);
	await shop.write('second');
	return {shop, engine, inPlace};
}

/** The steps of runs that nobody disturbs. The target is as before, afterwards. */
async function stepsOf(yard: Yard): Promise<Record<Verb, At[]>> {
	const first = await undisturbed(yard, 'restore');
	const undo = await undisturbed(yard, 'undo', first.run);
	const second = await undisturbed(yard, 'restore');
	const finish = await undisturbed(yard, 'finish', second.run);
	await yard.shop.write('second');
	return {restore: first.steps, undo: undo.steps, finish: finish.steps};
}

type RestoreKill = Kill & {verb: Verb; victim: Victim; at: At};

/** Each victim at each step where it can be alive. */
async function everyKill(yard: Yard): Promise<RestoreKill[]> {
	const steps = await stepsOf(yard);
	return (['restore', 'undo', 'finish'] as const).flatMap(verb =>
		steps[verb].flatMap(at =>
			victimsAt(yard, at).map(victim => {
				const step = nameOf(at, yard.shop.stack.project);
				return {
					name: `${victim} killed at \`${verb}: ${step}\``,
					step,
					victim,
					verb,
					at,
					survive: async () => survive(yard, verb, at, victim),
				};
			}),
		),
	);
}

/** Of an undo, whatever can be met where it matters; of letting go, the agent at what it removes. */
export const isUndoKill = ({victim, verb, at: {step, subject}}: RestoreKill): boolean =>
	verb === 'undo'
		? victim === 'agent' || step === 'swap'
		: verb === 'finish' && victim === 'agent' && step === 'clean-up' && subject !== undefined;

interface Choice {
	/** Every kill, not only a cover of them. */
	isWhole: boolean;
	among: (kill: RestoreKill) => boolean;
	/** How many of each verb there must be to choose from. */
	least: Partial<Record<Verb, number>>;
	engine?: SecondEngine | undefined;
	inPlace?: boolean | undefined;
}

/** Declares all tests of a file. */
export async function restoreKills(test: TestFn, {isWhole, among, least, engine, inPlace}: Choice): Promise<void> {
	const {value, takeDown} = await bringUp(async t => {
		if (engine) {
			// After the stack is down: what was added first is done last.
			t.teardown(engine.remove);
		}

		const yard = await startYard(t, {engine, inPlace});
		return everyKill(yard);
	});
	const kills = value.filter(among);
	test.after.always('the stack is taken down', takeDown);
	declareKills(test, kills, {isWhole});
	test.serial('there was enough to choose from', t => {
		for (const [verb, count] of Object.entries(least)) {
			t.true(kills.filter(kill => kill.verb === verb).length >= count, `${verb}: ${kills.map(({name}) => name).join(', ')}`);
		}
	});
}
