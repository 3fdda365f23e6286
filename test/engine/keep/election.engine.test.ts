/** Three agents in one repository: one of them prunes and checks for all, and another does when that one is killed. Lane: waits. Turns: repository. */
import test from 'ava';
import type {CheckResult, PruneResult} from '../../../base/results.ts';
import type {RunView} from '../../../base/shapes/runs.ts';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {plainReader, readerService} from '../../support/stack/reader.ts';
import {hardlyEver, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const image = process.env.HOLDFAST_TEST_IMAGE ?? 'holdfast:dev';

/** Both at once, so that they meet each other, too. */
const schedules = {HOLDFAST_PRUNE_SCHEDULE: '*/2 * * * *', HOLDFAST_CHECK_SCHEDULE: '*/2 * * * *'};
const patience = {timeout: 6 * 60_000, interval: 2000};

const other = (name: string) => ({
	image,
	environment: {
		...hardlyEver,
		...schedules,
		HOLDFAST_HOST: name,
		HOLDFAST_PROJECTS: '$COMPOSE_PROJECT_NAME',
		RESTIC_PASSWORD_FILE: '/first/repository-password',
	},
	volumes: [
		'/var/run/docker.sock:/var/run/docker.sock',
		'hf-repository:/repository',
		`${name}-state:/state`,
		`${name}-cache:/cache`,
		'hf-state:/first:ro',
	],
});

test('one of three does it for all; killed, another takes over; who comes back leaves it to that one', async t => {
	t.timeout(20 * 60_000);
	const others = ['second', 'third'];
	const stack = await startStack(t, {
		volumes: ['data', ...others.flatMap(name => [`${name}-state`, `${name}-cache`])],
		up: ['holdfast', 'app', 'reader'],
		holdfast: {environment: {HOLDFAST_HOST: 'holdfast', ...schedules}},
		services: {
			...Object.fromEntries(others.map(name => [name, other(name)])),
			reader: {...readerService(), hostname: 'reader'},
			app: {
				image: await ensureImage('holdfast-test/app:latest'),
				command: ['sleep', 'infinity'],
				init: true,
				volumes: ['data:/data'],
				labels: {'holdfast.enable': 'true', 'holdfast.quiesce': 'none'},
			},
		},
	});
	const agents = ['holdfast', ...others];
	await stack.compose('up', '--detach', ...others);
	const of = async <Shape>(agent: string, ...args: string[]): Promise<Shape> =>
		JSON.parse(await stack.exec(agent, 'holdfast', ...args, '--json')) as Shape;
	for (const agent of agents) {
		await until(
			`${agent} answers`,
			async () =>
				stack.exec(agent, 'holdfast', 'healthcheck').then(
					() => true,
					() => false,
				),
			patience,
		);
		t.is((await of<{outcome: string}>(agent, 'backup', `${stack.project}/app`)).outcome, 'success');
	}

	/** Those that ended since, newest first. */
	const done = async (agent: string, operation: 'prune' | 'check', since: number) => {
		const runs = await of<RunView[]>(agent, 'runs', '--target', 'repository:primary', '--limit', '30');
		return runs.flatMap(({operation: is, state, result, startedAt}) =>
			is === operation && state === 'finished' && Date.parse(startedAt) >= since ? [result as PruneResult | CheckResult] : [],
		);
	};
	/** Who did it, as one that did not says it. */
	const told = async (among: readonly string[], operation: 'prune' | 'check', since: number): Promise<string | undefined> => {
		const results = (await Promise.all(among.map(async agent => done(agent, operation, since)))).flat();
		return results.flatMap(({doneBy}) => (doneBy !== undefined && Date.parse(doneBy.at) >= since ? [doneBy.host] : []))[0];
	};

	const begun = Date.now();
	for (const operation of ['prune', 'check'] as const) {
		await until(`the ${operation} to be left to one`, async () => (await told(agents, operation, begun)) !== undefined, patience);
	}

	for (const agent of agents) {
		for (const operation of ['prune', 'check'] as const) {
			const results = await done(agent, operation, begun);
			t.deepEqual(
				results.flatMap(({outcome, error}) => (outcome === 'success' ? [] : [error])),
				[],
				`${agent}: ${operation}`,
			);
		}
	}

	// Killed, and it does not come back: somebody else does it.
	const elected = (await told(agents, 'prune', begun)) ?? '';
	t.true(agents.includes(elected), elected);
	await docker(['update', '--restart=no', stack.container(elected)]);
	await docker(['kill', '--signal=KILL', stack.container(elected)]);
	const killed = Date.now();
	const left = agents.filter(agent => agent !== elected);
	await until(
		'another to do it',
		async () => {
			const results = (await Promise.all(left.map(async agent => done(agent, 'prune', killed)))).flat();
			return results.some(({outcome, doneBy}) => outcome === 'success' && doneBy === undefined);
		},
		patience,
	);
	await until('the last one to leave it to that one', async () => left.includes((await told(left, 'prune', killed)) ?? ''), patience);

	// Back again, it is one of them: it leaves it to who did it last, or, where that one is slow to begin, the others leave it to this one.
	await docker(['start', stack.container(elected)]);
	const back = Date.now();
	await until(
		'the killed one to take part again',
		async () => {
			const own = await done(elected, 'prune', back);
			const by = await told(agents, 'prune', back);
			return own.some(({outcome}) => outcome === 'success') && (by === elected || left.includes(by ?? ''));
		},
		patience,
	);
	const metrics = await stack.exec(elected, 'node', '-e', "fetch('http://localhost:9797/metrics').then(r => r.text()).then(console.log)");
	const [, pruned] = /^holdfast_repository_last_prune_timestamp_seconds\S* (\S+)$/m.exec(metrics) ?? [];
	t.true(Number(pruned) * 1000 >= killed, `what another did counts for its alerts: ${pruned}`);

	// What it leaves in the repository: one record of each agent and operation at most, and nothing that looks like a point.
	const records = await plainReader(stack).snapshots('holdfast-upkept');
	t.true(records.length > 0 && records.length <= 2 * agents.length, JSON.stringify(records));
	for (const agent of agents) {
		t.is((await of<Array<{own: boolean}>>(agent, 'points')).length, 3, 'every point is there');
	}
});
