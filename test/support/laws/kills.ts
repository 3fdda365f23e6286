/** Kills one part of a backup at one event of its run, and asserts what must hold whatever was killed whenever. */
import assert from 'node:assert/strict';
import process from 'node:process';
import type {TestFn} from 'ava';
import type {StepEvent} from '../../../base/events.ts';
import {docker} from '../docker.ts';
import {type HostProcess, killProcesses, runs} from '../machine/processes.ts';
import {type Client, connect} from '../stack/connect.ts';
import {assertPointIsWhole} from '../stack/contents.ts';
import {plainReader} from '../stack/reader.ts';
import type {Stack} from '../stack.ts';
import {until} from '../until.ts';
import {type Pair, type Wanted, wanted} from './cover.ts';
import {fillState, freeState} from './full-state.ts';
import {untilPlanned} from './held-open.ts';

/** How a step is written in a test's name: `quiesce app`, `store postgres:metadb`. What a name has of chance is left out. */
export const nameOf = ({step, subject}: Pick<StepEvent, 'step' | 'subject'>, project: string): string =>
	subject === undefined ? step : `${step} ${subject.replace(`${project}-`, '').replace(/-1$|_[0-9a-f]{8}$/, '')}`;

export const victims = ['agent', 'worker', 'dump worker', 'restic', 'pg_dump', 'sqlite session', 'psql session'] as const;
/** The room for the state can be taken at any step: it is no process, and its tests are others. */
export type Victim = (typeof victims)[number] | 'state';

export interface Scene {
	/** With a `readerService`. */
	stack: Stack;
	token: string;
	/** The target, as Holdfast names it. */
	target: string;
	/** A name that no other test's database has; none: there is no database. */
	database?: string;
	/** What must hold again once all is put back, beside the containers' states. */
	isPutBack?: () => Promise<boolean>;
}

/** The steps of a run that nobody disturbs. It must succeed. */
export async function stepsOf(scene: Scene): Promise<StepEvent[]> {
	await untilPlanned(scene);
	const agent = await connect(scene);
	const run = await agent.start(scene.target);
	const steps: StepEvent[] = [];
	for await (const event of agent.follow(run)) {
		if (event.type === 'step') {
			steps.push(event);
		}
	}

	const result = await agent.result(run);
	assert.equal(result.outcome, 'success', result.error);
	return steps;
}

/** Which victims can be alive at each step; `arm`, which has no event, belongs to the step before it. */
export function targetsAt(steps: readonly StepEvent[], index: number): Victim[] {
	const {step, subject = ''} = steps[index] as StepEvent;
	const left = steps.slice(index).filter(other => other.step === 'store');
	const later = (kind: string) => left.some(other => other.subject?.includes(`${kind}:`));
	const here = (kind: string) => step === 'store' && subject.includes(`${kind}:`);
	const open = !['plan', 'workers', 'publish', 'clean-up'].includes(step);
	const found: Record<(typeof victims)[number], boolean> = {
		agent: true,
		// It is removed while the point is published: who looks then mostly finds it gone
		worker: !['plan', 'publish', 'clean-up'].includes(step),
		// While it is made, its death only means that the dump goes another way
		'dump worker': open && step !== 'prepare' && later('postgres'),
		restic: ['first-pass', 'quiesce', 'pin', 'publish'].includes(step) || here('postgres') || here('sqlite'),
		pg_dump: here('postgres'),
		'sqlite session': open && later('sqlite'),
		'psql session': open && later('postgres'),
	};
	return victims.filter(victim => found[victim]);
}

/** The processes of a victim; none for what is a container. */
export function processesOf(
	{target, database = ''}: Scene,
	victim: Victim,
	run: string,
): ((argv: HostProcess['argv']) => boolean) | undefined {
	const is: Partial<Record<Victim, (argv: HostProcess['argv']) => boolean>> = {
		restic: argv => runs(argv, 'restic') && argv.includes(`--tag=run:${run}`),
		pg_dump: argv =>
			runs(argv, 'pg_dump') && argv.some(word => word.startsWith('--snapshot')) && argv.some(word => word.includes(database)),
		'psql session': argv => runs(argv, 'psql') && argv.some(word => word.includes(`dbname='${database}'`)),
		'sqlite session': argv =>
			runs(argv, 'node') && argv.some(word => word.endsWith('/session.program.js')) && argv.some(word => word.includes(`/${target}/`)),
	};
	return is[victim];
}

/** Kills what is there. @returns whether it was there to be killed */
export type Strike = (run: string) => Promise<boolean>;

/** The agent of this moment: its next life has another process. */
export async function striking({docker, container}: Stack): Promise<Strike> {
	const pid = Number(await docker(['inspect', '--format', '{{.State.Pid}}', container('holdfast')]));
	return async () => process.kill(pid, 'SIGKILL');
}

/** The engine learns of a death a little later; until then it takes the container for one that runs. */
export const untilDead = async ({state}: Stack): Promise<unknown> =>
	until('the agent to be dead', async () => (await state('holdfast')) === 'exited', {interval: 20});

export async function strikeWorker({docker}: Stack, victim: 'worker' | 'dump worker', run: string): Promise<boolean> {
	const name = `holdfast-${victim === 'worker' ? 'repository' : 'dump'}-${run}`;
	const running = await docker(['ps', '--quiet', '--filter', `name=${name}`, '--filter', 'status=running']);
	return (
		running !== '' &&
		docker(['kill', '--signal', 'KILL', running]).then(
			() => true,
			() => false,
		)
	);
}

async function strikeFor(scene: Scene, victim: Victim): Promise<Strike> {
	if (victim === 'agent') {
		return striking(scene.stack);
	}

	if (victim === 'state') {
		return async () => fillState(scene.stack).then(() => true);
	}

	return async run => {
		const matches = processesOf(scene, victim, run);
		return matches === undefined ? strikeWorker(scene.stack, victim as 'worker' | 'dump worker', run) : killProcesses(matches) > 0;
	};
}

/** Waits for the event, then for the victim, and kills it. @returns whether that came before the end of the run */
export async function killAt(
	agent: Client,
	run: string,
	at: Pick<StepEvent, 'step' | 'subject'>,
	{victim, strike}: {victim: string; strike: Strike},
): Promise<boolean> {
	let ended = false;
	let struck: Promise<boolean> | undefined;
	for await (const event of agent.follow(run)) {
		if (event.type === 'finished') {
			ended = true;
		} else if (struck === undefined && event.type === 'step' && event.step === at.step && event.subject === at.subject) {
			struck = until(`the ${victim}`, async () => ended || ((await strike(run)) && 'struck'), {interval: 2, timeout: 60_000}).then(
				found => found === 'struck',
			);
		}
	}

	ended = true;
	return (await struck) ?? false;
}

export interface Kill extends Pair {
	/** @throws with what did not hold */
	survive: () => Promise<void>;
}

/** A test for each, one after another, as they share a stack. */
export function declareKills(test: TestFn, kills: readonly Kill[], which: Wanted<Kill>): void {
	for (const {name, survive} of wanted(kills, which)) {
		test.serial(name, async t => {
			const begun = performance.now();
			await t.notThrowsAsync(survive());
			t.log(`${((performance.now() - begun) / 1000).toFixed(1)} s`);
		});
	}
}

/** Of all containers but Holdfast's own, a line each. */
export const states = async ({stack}: Pick<Scene, 'stack'>): Promise<string> => {
	const format = '{{.Label "com.docker.compose.service"}} {{.State}} {{.Status}}';
	const list = await stack.docker(['ps', '--all', '--filter', `label=com.docker.compose.project=${stack.project}`, '--format', format]);
	return list
		.split('\n')
		.filter(line => !line.startsWith('holdfast '))
		.map(line => `${line.split(' ').slice(0, 2).join(' ')}${line.includes('(Paused)') ? ' paused' : ''}`)
		.sort()
		.join('\n');
};

/**
 * Workers and volumes of a run; empty where none is left. An engine that died while one ended shows it as dead, without a name, until it starts
 * again (20.10): that is nothing any more, and nobody can remove it.
 */
export const leftOf = async (run: string, {docker: onEngine}: Pick<Stack, 'docker'> = {docker}): Promise<string> => {
	const filter = ['--filter', `label=holdfast.worker=${run}`];
	const containers = await onEngine(['ps', '--all', '--format', '{{.Names}} {{.State}}', ...filter]);
	const volumes = await onEngine(['volume', 'ls', '--quiet', ...filter]);
	return [...containers.split('\n').filter(line => line !== ' dead'), volumes].join('');
};

/** Nothing is missing but the manifest, which then is there or is not. A volume was stored in the moment, so its own step is but a word. */
function isLate(steps: readonly StepEvent[], index: number): boolean {
	const {step, subject = ''} = steps[index] as StepEvent;
	const isLastStore = step === 'store' && steps[index + 1]?.step === 'publish';
	return step === 'publish' || step === 'clean-up' || (isLastStore && subject.includes('volume:'));
}

/** A restic that only waited for the moment is as good as another, and not all must be written down: whoever looks which it was comes too late. The point says whether it was. */
const mayBeReplaced = (victim: Victim): boolean => victim === 'restic' || victim === 'state';

/**
 * One kill, and everything that must hold after it, until the next run has succeeded.
 * @throws with what did not hold; `missed` where the victim was never there in three runs
 */
export async function survive(scene: Scene, steps: readonly StepEvent[], index: number, victim: Victim): Promise<void> {
	const {stack, target} = scene;
	const at = steps[index] as StepEvent;
	const before = await states(scene);
	let agent = await connect(scene);
	// Where the kill before this one went wrong, it may be on its way still
	await until('the agent to answer', agent.isReady, {timeout: 120_000});
	let run = await agent.start(target);
	const strike = await strikeFor(scene, victim);
	for (let missed = 0; !(await killAt(agent, run, at, {victim, strike})); missed++) {
		const {outcome, error} = await agent.result(run);
		assert.equal(outcome, 'success', `nothing was killed, yet: ${error}`);
		assert.ok(missed < 3, 'missed: the victim was never alive at this event');
		run = await agent.start(target);
	}

	if (victim === 'agent') {
		await untilDead(stack);
		await docker(['start', stack.container('holdfast')]);
		agent = await connect(scene);
	}

	await until(`the containers to be as before:\n${before}\n`, async () => (await states(scene)) === before, {
		timeout: 120_000,
	}).catch(async error => assert.fail(`${error.message}now:\n${await states(scene)}`));
	await until('what the hooks did to be undone', async () => scene.isPutBack?.() ?? true, {timeout: 120_000});
	await until('the agent to answer', agent.isReady, {timeout: 120_000});
	const {outcome, point, error} = await agent.result(run);
	if (point === null) {
		assert.ok(outcome === 'failed' || outcome === 'partial', `the run says ${outcome}`);
		assert.ok(error, 'the run does not say why');
	} else {
		assert.ok(isLate(steps, index) || mayBeReplaced(victim), `a point, although the ${victim} was killed`);
		assert.equal(outcome, 'success', error);
		assert.equal(point, run);
		await assertPointIsWhole(stack, run);
	}

	await until('the workers and their volume to be removed', async () => (await leftOf(run)) === '', {timeout: 120_000});
	if (scene.database !== undefined) {
		await until('no session to be left in the database', async () => (await sessions(scene)) === '0', {timeout: 60_000});
	}

	if (victim === 'state') {
		await freeState(stack);
		// Another life must know the same.
		await docker(['restart', stack.container('holdfast')]);
		agent = await connect(scene);
		await until('the agent to answer', agent.isReady, {timeout: 120_000});
		const remembered = await agent.result(run);
		assert.deepEqual([remembered.outcome, remembered.point], [outcome, point], 'what another life of the agent knows of it');
	}

	const next = await agent.start(target);
	const good = await agent.result(next);
	assert.equal(good.outcome, 'success', `the next run: ${good.error}`);
	await assertListed(scene, agent, {killed: run, point, next});
}

/** How many sessions of Holdfast the database has. */
export const sessions = async ({stack, database = ''}: Scene): Promise<string> => {
	const sql = `select count(*) from pg_stat_activity where application_name like 'holdfast%' or application_name like 'pg_dump%'`;
	return stack.exec('db', 'psql', '-U', 'postgres', '-At', '-d', database, '-c', sql);
};

/** The killed run has a point exactly when it says so, whoever is asked; the next one has one. */
async function assertListed(
	{stack, target}: Scene,
	agent: Client,
	{killed, point, next}: {killed: string; point: string | null; next: string},
): Promise<void> {
	const snapshots = await plainReader(stack).snapshots();
	const withManifest = snapshots.filter(({tags}) => tags.some(tag => tag.startsWith('manifest:'))).flatMap(({tags}) => tags);
	const points = await agent.points(target);
	for (const [run, who, isPoint] of [
		[killed, 'the killed run', point === killed],
		[next, 'the next run', true],
	] as const) {
		assert.equal(withManifest.includes(`run:${run}`), isPoint, `restic on the manifest of ${who}`);
		assert.equal(points.includes(run), isPoint, `the list of points on ${who}`);
	}
}
