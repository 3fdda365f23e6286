/** Two agents in one repository, with one host name and one target: neither touches what the other filed. And what a lost state, or a former name, leaves behind. Lane: waits. Turns: repository. */
import test from 'ava';
import type {RestoreResult} from '../../../base/results.ts';
import type {PointView, Taken} from '../../../base/shapes/points.ts';
import type {RestorePlan} from '../../../base/shapes/restores.ts';
import type {Finding, StatusView} from '../../../base/shapes/targets.ts';
import {ensureImage} from '../../support/images.ts';
import {hardlyEver, type Output, type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const image = process.env.HOLDFAST_TEST_IMAGE ?? 'holdfast:dev';

async function setUp(t: Parameters<typeof startStack>[0]): Promise<Stack> {
	const app = await ensureImage('holdfast-test/app:latest');
	const environment = {HOLDFAST_HOST: 'pi', HOLDFAST_KEEP: 'last=2'};
	const labels = {'holdfast.enable': 'true', 'holdfast.quiesce': 'none'};
	return startStack(t, {
		volumes: ['data', 'elsewhere', 'second-state', 'second-cache'],
		up: ['holdfast', 'app', 'later'],
		holdfast: {environment},
		services: {
			second: {
				image,
				environment: {
					...environment,
					...hardlyEver,
					HOLDFAST_PROJECTS: '$COMPOSE_PROJECT_NAME',
					RESTIC_PASSWORD_FILE: '/first/repository-password',
				},
				volumes: [
					'/var/run/docker.sock:/var/run/docker.sock',
					'hf-repository:/repository',
					'second-state:/state',
					'second-cache:/cache',
					'hf-state:/first:ro',
				],
			},
			app: {image: app, command: ['sleep', 'infinity'], init: true, volumes: ['data:/data'], labels},
			later: {image: app, command: ['sleep', 'infinity'], init: true, volumes: ['elsewhere:/data'], labels},
		},
	});
}

test('two agents under one name; a former one is taken over, and so is a former name', async t => {
	t.timeout(8 * 60_000);
	const stack = await setUp(t);
	const target = `${stack.project}/app`;
	const first = async (...args: string[]) => stack.holdfast(...args);
	const second = async (...args: string[]): Promise<Output> =>
		stack.exec('second', 'holdfast', ...args).then(
			stdout => ({exitCode: 0, stdout, stderr: ''}),
			(error: {exitCode: number; stdout: string; stderr: string}) => error,
		);
	await stack.compose('up', '--detach', 'second');
	await until('the second answers', async () => (await second('healthcheck')).exitCode === 0, {timeout: 180_000});
	const write = async (word: string) => stack.exec('app', 'sh', '-c', `echo ${word} >/data/word`);
	const backUp = async (agent: typeof first, word: string) => {
		await write(word);
		const {exitCode, stderr, stdout} = await agent('backup', target);
		t.is(exitCode, 0, stderr + stdout);
	};
	const points = async (agent: typeof first, of = target) => JSON.parse((await agent('points', of, '--json')).stdout) as PointView[];
	const own = async (agent: typeof first, of = target) => (await points(agent, of)).filter(point => point.own);
	const dryRun = async (agent: typeof first, ...args: string[]) => agent('restore', target, ...args, '--dry-run', '--json');
	const findings = async (agent: typeof first) =>
		(JSON.parse((await agent('doctor', '--json')).stdout) as Finding[]).map(
			({level, message, hint = ''}) => `${level}: ${message}; ${hint}`,
		);

	// Three each, in turn: everyone's policy keeps two of its own.
	for (const round of [1, 2, 3]) {
		await backUp(first, `first-${round}`);
		await backUp(second, `second-${round}`);
	}

	const all = await points(first);
	t.is(all.length, 4, 'two of each');
	t.true(all.every(({host}) => host === 'pi'));
	const [mine] = await own(first);
	const [theirs] = await own(second);
	t.not(mine?.agent, theirs?.agent);
	t.true((theirs?.time ?? '') > (mine?.time ?? ''), "the newest of all is not the first one's");

	// `latest` is one's own; another's is named with its host and agent when it is asked for.
	const plan = JSON.parse((await dryRun(first)).stdout) as RestorePlan;
	t.is(plan.point.point, mine?.point ?? '');
	const foreign = JSON.parse((await dryRun(first, '--point', theirs?.point ?? '')).stdout) as RestorePlan;
	t.is(foreign.point.point, theirs?.point ?? '');
	t.regex(foreign.warnings.join(), new RegExp(`not of this agent: agent ${theirs?.agent} filed it on host \`pi\``));
	t.regex((await dryRun(first, '--from-host', 'pi')).stderr, /several agents/);
	t.is((JSON.parse((await dryRun(first, '--from-host', theirs?.agent ?? '')).stdout) as RestorePlan).point.point, theirs?.point ?? '');
	t.regex((await findings(first)).join('\n'), new RegExp(`warning: agent ${theirs?.agent} files here under the same host name`));
	t.regex((await findings(second)).join('\n'), new RegExp(`warning: agent ${mine?.agent} files here under the same host name`));

	// The second one is gone for good: nothing is taken from who may live, unless a person says so.
	await stack.compose('rm', '-sf', 'second');
	const refused = await first('adopt', theirs?.agent ?? '');
	t.is(refused.exitCode, 2);
	t.regex(refused.stderr, /is taken for alive: it filed .*--force/s);
	const taken = JSON.parse((await first('adopt', theirs?.agent ?? '', '--force', '--json')).stdout) as Taken;
	t.deepEqual(taken, {from: [theirs?.agent ?? null], targets: [target], points: 2});
	t.is((JSON.parse((await dryRun(first)).stdout) as RestorePlan).point.point, theirs?.point ?? '', 'the newest of all is its own now');

	// Points of a version without ids, of which the state knows nothing: held until they are taken over.
	for (const tag of ['source:volume:/data', 'manifest:1']) {
		const tags = ['holdfast', 'run:20250101t030000-aaaaaaa', `target:${target}`, tag];
		await stack.restic('backup', '--time=2025-01-01 03:00:00', '--host=pi', `--tag=${tags.join(',')}`, '/etc/hostname');
	}

	await backUp(first, 'first-4');
	t.is((await own(first)).length, 2);
	t.deepEqual(
		(await points(first)).filter(point => !point.own).map(({agent, host}) => ({agent, host})),
		[{agent: null, host: 'pi'}],
	);
	t.regex((await findings(first)).join('\n'), /warning: 1 restore points on host `pi`.*name no agent.*holdfast adopt pi/);
	t.is((await first('adopt', 'pi')).exitCode, 0);
	await backUp(first, 'first-5');
	t.is((await points(first)).length, 2, 'now the policy is for it, too');

	// A lost state is a new agent: it says what there is, takes nothing for its own, and finds all again when it takes that over.
	const [newest] = await own(first);
	await stack.compose('rm', '-sf', 'holdfast');
	await stack.docker([
		'run',
		'--rm',
		'--entrypoint',
		'sh',
		'-v',
		`${stack.project}_hf-state:/state`,
		image,
		'-c',
		'rm -f /state/holdfast.db*',
	]);
	await stack.compose('up', '--detach', 'holdfast');
	await stack.ready();
	const lost = await first('restore', target, '--yes');
	t.is(lost.exitCode, 2);
	t.regex(
		lost.stderr,
		new RegExp(`no restore point of this agent; agent ${newest?.agent} on host \`pi\` has filed 2.*holdfast adopt ${newest?.agent}`, 's'),
	);
	t.is((await first('adopt', newest?.agent ?? '', '--force')).exitCode, 0);
	const status = JSON.parse((await first('status', '--json')).stdout) as StatusView[];
	const {lastSuccess, newestPoint} = status.find(each => each.target === target) ?? {};
	t.deepEqual([lastSuccess, newestPoint?.point, newestPoint?.adopted], [null, newest?.point, true], 'what was taken over is told');
	await write('damaged');
	const restored = await stack.restore(target);
	t.deepEqual([restored.outcome, restored.point], ['success', newest?.point], restored.error);
	t.is(await stack.exec('app', 'cat', '/data/word'), 'first-5');
	await first('restore', 'finish', restored.run);

	// A service with a new name: its points are found under the old one, and after a move under its own.
	const renamed = `${stack.project}/later`;
	t.regex((await first('restore', renamed, '--yes')).stderr, /has no restore point/);
	t.regex((await first('move', target, renamed)).stderr, /is still there under this name/);
	const put = JSON.parse((await first('restore', renamed, '--from-target', target, '--yes', '--json')).stdout) as RestoreResult;
	t.deepEqual([put.outcome, await stack.exec('later', 'cat', '/data/word')], ['success', 'first-5'], put.error);
	await first('restore', 'finish', put.run);
	await stack.compose('rm', '-sf', 'app');
	t.is((await first('move', target, renamed)).exitCode, 0);
	t.is((await own(first, target)).length, 0);
	t.is((await own(first, renamed))[0]?.point, newest?.point);
	await stack.exec('later', 'sh', '-c', 'echo damaged >/data/word');
	t.is((await stack.restore(renamed)).outcome, 'success');
	t.is(await stack.exec('later', 'cat', '/data/word'), 'first-5');
	t.is((await stack.backup(renamed))[0]?.outcome, 'success');
	t.is((await own(first, renamed)).length, 2, 'and the policy is for all of them');
});
