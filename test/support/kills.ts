/** Kills one part of a backup at one event of its run, and asserts what must hold whatever was killed whenever. */
import assert from 'node:assert/strict';
import type {BackupResult, RunEvent, RunResult, StepEvent} from '../../agent/events.ts';
import {assertPointIsWhole} from './contents.ts';
import {docker} from './docker.ts';
import {type HostProcess, killProcesses, runs} from './processes.ts';
import {plainReader} from './reader.ts';
import type {Stack} from './stack.ts';
import {until} from './until.ts';

/** How a step is written in a test's name: `quiesce app`, `store postgres:metadb`. */
export const nameOf = ({step, subject}: Pick<StepEvent, 'step' | 'subject'>, project: string): string =>
	subject === undefined ? step : `${step} ${subject.replace(`${project}-`, '').replace(/-1$/, '')}`;

export const victims = ['agent', 'worker', 'dump worker', 'restic', 'pg_dump', 'sqlite session', 'psql session'] as const;
export type Victim = (typeof victims)[number];

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

/** The agent's API from the host, at the address that its container has just now. */
export async function connect({stack, token}: Scene) {
	const id = stack.container('holdfast');
	const address = await docker(['inspect', '--format', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', id]);
	const ask = (path: string, options: RequestInit = {}) =>
		fetch(`http://${address}:9797${path}`, {
			...options,
			headers: {authorization: `Bearer ${token}`, 'content-type': 'application/json'},
		});
	return {
		/** One request of `/api/v1`. */
		async call<Answer>(path: string, body?: unknown): Promise<Answer> {
			const answer = await ask(`/api/v1/${path}`, body === undefined ? {} : {method: 'POST', body: JSON.stringify(body)});
			return (await answer.json()) as Answer;
		},
		isReady: async () => (await ask('/healthz', {signal: AbortSignal.timeout(5000)})).ok,
		async start(target: string): Promise<string> {
			const answer = await ask('/api/v1/backup', {method: 'POST', body: JSON.stringify({targets: [target]})});
			const {
				runs: [started],
			} = (await answer.json()) as {runs: Array<{run?: string; error?: string}>};
			assert.ok(started?.run, `the backup did not start: ${JSON.stringify(started)}`);
			return started.run;
		},
		/** Ends when the agent dies. */
		async *follow(run: string): AsyncGenerator<RunEvent> {
			const {body} = await ask(`/api/v1/runs/${run}/events`);
			let rest = '';
			try {
				for await (const part of body ?? []) {
					const lines = (rest + Buffer.from(part).toString()).split('\n');
					rest = lines.pop() ?? '';
					yield* lines.filter(line => line.startsWith('data:')).map(line => JSON.parse(line.slice('data:'.length)) as RunEvent);
				}
			} catch {
				// It died
			}
		},
		async result<Result extends RunResult = BackupResult>(run: string): Promise<Result> {
			return until(`run ${run} to end`, async () => ((await (await ask(`/api/v1/runs/${run}`)).json()) as {result: Result | null}).result, {
				timeout: 90_000,
				interval: 100,
			}) as Promise<Result>;
		},
		/** What `holdfast points` prints. */
		points: async (target: string) =>
			((await (await ask(`/api/v1/points?target=${encodeURIComponent(target)}`)).json()) as Array<{point: string}>).map(({point}) => point),
		cancel: async (run: string) => (await ask(`/api/v1/runs/${run}/cancel`, {method: 'POST'})).status,
	};
}

/** The steps of a run that nobody disturbs. It must succeed. */
export async function stepsOf(scene: Scene): Promise<StepEvent[]> {
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
	const found: Record<Victim, boolean> = {
		agent: true,
		// The clean-up removes it at once: who looks then mostly finds it gone
		worker: !['plan', 'clean-up'].includes(step),
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
			runs(argv, 'pg_dump') && argv.some(word => word.startsWith('--snapshot=')) && argv.some(word => word.includes(database)),
		'psql session': argv => runs(argv, 'psql') && argv.some(word => word.includes(`dbname='${database}'`)),
		'sqlite session': argv =>
			runs(argv, 'node') && argv.some(word => word.endsWith('/sqlite-session.ts')) && argv.some(word => word.includes(`/${target}/`)),
	};
	return is[victim];
}

/** @returns whether it was there to be killed */
async function strike(scene: Scene, victim: Victim, run: string): Promise<boolean> {
	const {stack} = scene;
	const matches = processesOf(scene, victim, run);
	if (matches !== undefined) {
		return killProcesses(matches) > 0;
	}

	if (victim === 'agent') {
		await docker(['kill', '--signal', 'KILL', stack.container('holdfast')]);
		return true;
	}

	const name = victim === 'worker' ? `holdfast-repository-${run}` : `holdfast-dump-${run}`;
	const running = await docker(['ps', '--quiet', '--filter', `name=${name}`, '--filter', 'status=running']);
	return (
		running !== '' &&
		docker(['kill', '--signal', 'KILL', running]).then(
			() => true,
			() => false,
		)
	);
}

/** Waits for the event, then for the victim, and kills it. @returns whether that came before the end of the run */
async function killAt(
	scene: Scene,
	agent: Awaited<ReturnType<typeof connect>>,
	run: string,
	at: StepEvent,
	victim: Victim,
): Promise<boolean> {
	let ended = false;
	let struck: Promise<boolean> | undefined;
	for await (const event of agent.follow(run)) {
		if (event.type === 'finished') {
			ended = true;
		} else if (struck === undefined && event.type === 'step' && event.step === at.step && event.subject === at.subject) {
			struck = until(`the ${victim}`, async () => ended || ((await strike(scene, victim, run)) && 'struck'), {
				interval: 3,
				timeout: 60_000,
			}).then(found => found === 'struck');
			if (victim === 'agent') {
				break;
			}
		}
	}

	ended = true;
	return (await struck) ?? false;
}

/** Of all containers but Holdfast's own, a line each. */
export const states = async ({stack}: Scene): Promise<string> => {
	const format = '{{.Label "com.docker.compose.service"}} {{.State}} {{.Status}}';
	const list = await docker(['ps', '--all', '--filter', `label=com.docker.compose.project=${stack.project}`, '--format', format]);
	return list
		.split('\n')
		.filter(line => !line.startsWith('holdfast '))
		.map(line => `${line.split(' ').slice(0, 2).join(' ')}${line.includes('(Paused)') ? ' paused' : ''}`)
		.sort()
		.join('\n');
};

/** Workers and volumes of a run; empty where none is left. */
export const leftOf = async (run: string): Promise<string> => {
	const filter = ['--filter', `label=holdfast.worker=${run}`];
	return [await docker(['ps', '--all', '--quiet', ...filter]), await docker(['volume', 'ls', '--quiet', ...filter])].join('');
};

/** Nothing is missing but the manifest, which then is there or is not. A volume was stored in the moment, so its own step is but a word. */
function isLate(steps: readonly StepEvent[], index: number): boolean {
	const {step, subject = ''} = steps[index] as StepEvent;
	const isLastStore = step === 'store' && steps[index + 1]?.step === 'publish';
	return step === 'publish' || step === 'clean-up' || (isLastStore && subject.includes('volume:'));
}

/**
 * One kill, and everything that must hold after it, until the next run has succeeded.
 * @throws with what did not hold; `missed` where the victim was never there in three runs
 */
export async function survive(scene: Scene, steps: readonly StepEvent[], index: number, victim: Victim): Promise<void> {
	const {stack, target} = scene;
	const at = steps[index] as StepEvent;
	const before = await states(scene);
	let agent = await connect(scene);
	let run = await agent.start(target);
	for (let missed = 0; !(await killAt(scene, agent, run, at, victim)); missed++) {
		const {outcome, error} = await agent.result(run);
		assert.equal(outcome, 'success', `nothing was killed, yet: ${error}`);
		assert.ok(missed < 3, 'missed: the victim was never alive at this event');
		run = await agent.start(target);
	}

	if (victim === 'agent') {
		await docker(['start', stack.container('holdfast')]);
		agent = await connect(scene);
	}

	await until(`the containers to be as before:\n${before}\n`, async () => (await states(scene)) === before, {
		timeout: 30_000,
		interval: 100,
	}).catch(async error => assert.fail(`${error.message}now:\n${await states(scene)}`));
	await until('what the hooks did to be undone', async () => scene.isPutBack?.() ?? true, {timeout: 30_000, interval: 100});
	await until('the agent to answer', agent.isReady, {timeout: 60_000, interval: 100});
	const {outcome, point, error} = await agent.result(run);
	if (isLate(steps, index) && point !== null) {
		assert.equal(outcome, 'success', error);
		await assertPointIsWhole(stack, run);
	} else {
		assert.ok(outcome === 'failed' || outcome === 'partial', `the run says ${outcome}`);
		assert.equal(point, null);
		assert.ok(error, 'the run does not say why');
	}

	await until('the workers and their volume to be removed', async () => (await leftOf(run)) === '', {timeout: 30_000, interval: 200});
	if (scene.database !== undefined) {
		await until('no session to be left in the database', async () => (await sessions(scene)) === '0', {timeout: 10_000, interval: 200});
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
	agent: Awaited<ReturnType<typeof connect>>,
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
