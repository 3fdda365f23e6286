/** What happens to restore points over time, and to the repository: parts of one story, on one stack. */
import type {ExecutionContext} from 'ava';
import {execa} from 'execa';
import type {CheckResult, PruneResult} from '../../../base/results.ts';
import type {Unlocked} from '../../../base/shapes/locks.ts';
import type {PointView, RetentionView} from '../../../base/shapes/points.ts';
import type {StatusView} from '../../../base/shapes/targets.ts';
import {docker} from '../docker.ts';
import {ensureImage} from '../images.ts';
import {plainReader, readerService} from '../stack/reader.ts';
import {type Stack, startStack} from '../stack.ts';
import {until} from '../until.ts';

export const json = async <Shape>(stack: Stack, ...args: string[]): Promise<Shape> => {
	const {stdout, stderr} = await stack.holdfast(...args, '--json');
	try {
		return JSON.parse(stdout) as Shape;
	} catch (error) {
		throw new Error(`holdfast ${args.join(' ')}: ${stdout}${stderr}`, {cause: error});
	}
};

export const pointsOf = async (stack: Stack) => (await json<PointView[]>(stack, 'points')).map(({point}) => point);

export const backUp = async (t: ExecutionContext, stack: Stack) => {
	const [result] = await stack.backup('--all');
	t.is(result?.outcome, 'success', result?.error);
	return result as NonNullable<typeof result>;
};

const metric = async (stack: Stack, name: string): Promise<number | undefined> => {
	const text = String((await stack.api('GET', '/metrics')).body);
	const line = text.split('\n').find(each => each.startsWith(`holdfast_${name}`));
	return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ')));
};

/** Points go by the policy, and nothing goes of a target that has shrunk. @returns the points that are left */
export async function byThePolicy(t: ExecutionContext): Promise<{stack: Stack; points: string[]}> {
	const app = await ensureImage('holdfast-test/app:latest');
	const stack = await startStack(t, {
		services: {
			reader: {...readerService(), hostname: 'other-host'},
			app: {
				image: app,
				command: ['sleep', 'infinity'],
				volumes: ['data:/data'],
				labels: {'holdfast.enable': 'true', 'holdfast.volumes': 'true', 'holdfast.keep': 'last=2', 'holdfast.schedule.cold': '0 0 29 2 *'},
			},
		},
		volumes: ['data'],
		holdfast: {environment: {HOLDFAST_PRUNE_SCHEDULE: 'off', HOLDFAST_CHECK_SCHEDULE: 'off', HOLDFAST_CHECK_PARTS: '2'}},
	});
	const reader = plainReader(stack);
	const write = (name: string, megabytes: number) =>
		stack.exec('app', 'dd', 'if=/dev/urandom', `of=/data/${name}`, 'bs=1M', `count=${megabytes}`, 'status=none');

	await write('base', 2);
	const first = await backUp(t, stack);
	const second = await backUp(t, stack);
	const third = await backUp(t, stack);
	t.deepEqual(await pointsOf(stack), [third.run, second.run], 'after a successful run, the oldest is gone');
	t.deepEqual(await reader.snapshots(`run:${first.run}`), [], 'with all that it had');

	await write('large', 6);
	const large = await backUp(t, stack);
	await stack.exec('app', 'rm', '/data/large');
	const small = await backUp(t, stack);
	t.regex(small.warnings?.join() ?? '', /volume:\/data has \d+ bytes in point/);
	const [status] = await json<StatusView[]>(stack, 'status');
	t.regex(status?.suspicion ?? '', /prune --accept/);
	t.deepEqual(await pointsOf(stack), [small.run, large.run, third.run], 'nothing goes until a person has looked');
	await until('the metric', async () => (await metric(stack, 'target_suspicious')) === 1);
	const [held] = await json<RetentionView[]>(stack, 'prune', '--dry-run');
	t.regex(held?.held ?? '', /had \d+ before/);
	t.deepEqual(new Set(held?.points.map(({action}) => action)), new Set(['keep']));
	t.is((await stack.holdfast('prune', '--accept', `${stack.project}/app`)).exitCode, 0);
	const [planned] = await json<RetentionView[]>(stack, 'prune', '--dry-run');
	t.deepEqual(
		planned?.points.map(({point, action}) => [point, action]),
		[
			[small.run, 'keep'],
			[large.run, 'keep'],
			[third.run, 'remove'],
		],
	);
	const pruned = await json<PruneResult>(stack, 'prune');
	t.is(pruned.outcome, 'success', pruned.error);
	t.deepEqual(pruned.removed, [{target: `${stack.project}/app`, point: third.run}]);
	t.true((pruned.bytes ?? 0) > 8_000_000);
	await until('the points to be counted', async () => (await metric(stack, 'restore_points')) === 2);
	return {stack, points: [small.run, large.run]};
}

/** Damage is found where it is, said, and exported; each part is read in turn. */
export async function checks(t: ExecutionContext, stack: Stack): Promise<void> {
	const good = await json<CheckResult>(stack, 'check', '--read-data');
	t.like(good, {outcome: 'success', readData: 'all', target: 'repository:primary'}, good.error);
	await until('the metric', async () => (await metric(stack, 'repository_check_success')) === 1);
	const pack = (await stack.exec('reader', 'find', '/repository/data', '-type', 'f', '-size', '+1000k')).split('\n')[0] ?? '';
	await stack.exec(
		'reader',
		'sh',
		'-c',
		`cp -p ${pack} /tmp/pack; chmod u+w ${pack}; printf damage | dd of=${pack} bs=1 seek=5000 conv=notrunc status=none`,
	);
	t.is((await stack.holdfast('check')).exitCode, 0, 'what is not read is not seen');
	const {exitCode, stdout} = await stack.holdfast('check', '--read-data', '--json');
	t.is(exitCode, 1);
	t.regex((JSON.parse(stdout) as CheckResult).error ?? '', new RegExp(`pack ${pack.slice(-64)}`));
	await until('the metric', async () => (await metric(stack, 'repository_check_success')) === 0);
	await stack.exec('reader', 'cp', '-p', '/tmp/pack', pack);
}

/** A backup of another host is under way: maintenance waits for it, and takes nothing of it away; its lock is nobody else's business. */
export async function besideOthers(t: ExecutionContext, stack: Stack): Promise<void> {
	await stack.exec('reader', 'sh', '-c', 'mkfifo /tmp/slow');
	const backup = execa('docker', [
		'exec',
		stack.container('reader'),
		'sh',
		'-c',
		'restic backup --quiet --tag foreign --stdin --stdin-filename slow </tmp/slow',
	]);
	const writer = execa('docker', ['exec', '--interactive', stack.container('reader'), 'sh', '-c', 'cat >/tmp/slow'], {stdout: 'ignore'});
	writer.stdin.write('first half, ');
	await until('the other backup to have its lock', async () => (await stack.exec('reader', 'ls', '/repository/locks')) !== '', {
		interval: 50,
	});
	const {left, removed} = await json<Unlocked>(stack, 'unlock');
	t.deepEqual(removed, []);
	t.deepEqual(
		left.map(({host, why}) => [host, why]),
		[['other-host', 'not of this agent']],
	);
	const {body} = await stack.api('POST', '/api/v1/prune', {});
	const {run} = body as {run: string};
	const steps: string[] = [];
	for await (const event of stack.follow(run)) {
		if (event.type === 'step') {
			steps.push(event.step);
			if (event.step === 'prune') {
				writer.stdin.end('second half\n');
			}
		} else if (event.type === 'finished') {
			t.is(event.result.outcome, 'success', JSON.stringify(event.result));
		}
	}

	t.true(steps.includes('prune'));
	await Promise.all([backup, writer]);
	const reader = plainReader(stack);
	const [foreign] = await reader.snapshots('foreign');
	t.is((await reader.dump(foreign?.id ?? '', '/slow')).toString(), 'first half, second half\n');
}

/** The agent is killed while its own maintenance has the repository for itself: nothing is lost, and nobody stays shut out. */
export async function killed(t: ExecutionContext, stack: Stack, operations: ReadonlyArray<'prune' | 'check'>): Promise<void> {
	for (const operation of operations) {
		const {body} = await stack.api('POST', `/api/v1/${operation}`, {});
		const {run} = body as {run: string};
		await until(`the lock of the ${operation}`, async () => (await stack.exec('reader', 'ls', '/repository/locks')) !== '', {interval: 20});
		await docker(['kill', stack.container('holdfast')]);
		await docker(['start', stack.container('holdfast')]);
		await stack.ready();
		await until('the run to be closed', async () => (await json<{state: string}>(stack, 'runs', run)).state === 'finished');
		t.like(await json<{outcome: string}>(stack, 'runs', run), {outcome: 'failed'});
		await until('its lock to be removed', async () => (await stack.exec('reader', 'ls', '/repository/locks')) === '', {timeout: 60_000});
		const again = await json<PruneResult>(stack, operation);
		t.is(again.outcome, 'success', again.error);
	}
}

/** A restic of the agent's own container dies, and the container is replaced by another one: the engine says that nothing of it is left. */
export async function recreated(t: ExecutionContext, stack: Stack): Promise<void> {
	const hold =
		'mkfifo /tmp/p; RESTIC_PASSWORD_FILE=/state/repository-password exec restic --repo /repository --no-cache key passwd --new-password-file /tmp/p';
	const holding = execa('docker', ['exec', stack.container('holdfast'), 'sh', '-c', hold], {reject: false});
	await until('the lock', async () => (await stack.exec('reader', 'ls', '/repository/locks')) !== '', {interval: 50});
	const {left} = await json<Unlocked>(stack, 'unlock');
	t.regex(left[0]?.why ?? '', /runs in this container/);
	await docker(['kill', stack.container('holdfast')]);
	await holding;
	await stack.change({environment: {HOLDFAST_CHECK_PARTS: '3'}});
	await stack.ready();
	await until(
		'the lock of the earlier container to be removed',
		async () => (await stack.exec('reader', 'ls', '/repository/locks')) === '',
		{
			timeout: 60_000,
		},
	);
}

/** The same target, once stopped for its backup. */
export async function cold(t: ExecutionContext, stack: Stack): Promise<void> {
	const startedAt = async () => docker(['inspect', '--format', '{{.State.StartedAt}}', stack.container('app')]);
	const before = await startedAt();
	await backUp(t, stack);
	t.is(await startedAt(), before, 'a hot backup only pauses it');
	const [result] = await stack.backup('--all', '--cold');
	t.is(result?.outcome, 'success', result?.error);
	t.not(await startedAt(), before);
	t.is(await stack.state('app'), 'running');
	const [status] = await json<StatusView[]>(stack, 'status');
	t.regex(status?.nextColdRun ?? '', /-02-29T00:00/);
}
