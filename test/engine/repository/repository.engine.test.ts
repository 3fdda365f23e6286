/** A repository that is gone, shut, full or in use: each is said in its own words, and nothing is made, emptied or left asleep because of it. Lane: waits. */
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import type {BackupResult} from '../../../base/results.ts';
import type {PointView} from '../../../base/shapes/points.ts';
import type {Finding} from '../../../base/shapes/targets.ts';
import {ensureImage} from '../../support/images.ts';
import {observeBackup, warningsOf} from '../../support/stack/observe.ts';
import {plainReader, readerService} from '../../support/stack/reader.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

/** Prints nothing where the app writes on. */
const assertAwake = async (t: ExecutionContext, stack: Stack) => {
	t.is(await stack.state('app'), 'running');
	const rows = async () => Number(await stack.exec('app', 'sqlite3', '/data/app.db', 'select total from counter'));
	const before = await rows();
	await until('the app writes on', async () => (await rows()) > before, {timeout: 60_000});
};

const backup = async (stack: Stack): Promise<{exitCode: number; result: BackupResult}> => {
	const {exitCode, stdout, stderr} = await stack.holdfast('backup', '--all', '--json');
	const [line, ...more] = stdout.split('\n').filter(Boolean);
	if (line === undefined || more.length > 0) {
		throw new Error(`expected one result, got: ${stdout}${stderr}`);
	}

	return {exitCode, result: JSON.parse(line) as BackupResult};
};

const assertFails = async (t: ExecutionContext, stack: Stack, told: RegExp) => {
	const {exitCode, result} = await backup(stack);
	t.is(exitCode, 1);
	t.deepEqual([result.outcome, result.point], ['failed', null]);
	t.regex(result.error ?? '', told);
	await assertAwake(t, stack);
};

const assertSucceeds = async (t: ExecutionContext, stack: Stack) => {
	const {exitCode, result} = await backup(stack);
	t.is(exitCode, 0, result.error);
	await assertAwake(t, stack);
};

const pointsOf = async (stack: Stack): Promise<string[]> => {
	const {stdout} = await stack.holdfast('points', '--json');
	return (JSON.parse(stdout) as PointView[]).map(({point}) => point);
};

/** What the doctor and the health check say while the repository cannot be opened. */
const assertUnwell = async (t: ExecutionContext, stack: Stack, told: RegExp) => {
	const health = await until(
		'the agent says that it is not well',
		async () => {
			const {status, body} = await stack.api('GET', '/healthz');
			return status === 503 && told.test(JSON.stringify(body));
		},
		{timeout: 240_000, interval: 500},
	);
	t.true(health);
	t.is((await stack.holdfast('healthcheck')).exitCode, 1);
	const {exitCode, stdout} = await stack.holdfast('doctor', '--json');
	t.is(exitCode, 1);
	const findings = JSON.parse(stdout) as Finding[];
	t.regex(findings.find(({subject, level}) => subject === 'repository' && level === 'error')?.message ?? '', told);
	const points = await stack.holdfast('points');
	t.is(points.exitCode, 1);
	t.regex(points.stderr, told);
};

test('each trouble with the repository is told apart, and is over when it is mended', async t => {
	t.timeout(15 * 60_000);
	const app = await ensureImage('holdfast-test/app:latest');
	const stack = await startStack(t, {
		slowKey: true,
		// In memory and small. The reader keeps it mounted while Holdfast is recreated.
		repositoryVolume: {type: 'tmpfs', device: 'tmpfs', o: 'size=30m'},
		services: {
			reader: readerService(),
			app: {
				image: app,
				volumes: ['data:/data'],
				labels: {'holdfast.enable': 'true', 'holdfast.volumes': 'true'},
			},
		},
		volumes: ['data', 'elsewhere'],
	});
	const reader = plainReader(stack);
	await until('the app writes', async () => Number(await stack.exec('app', 'sqlite3', '/data/app.db', 'select total from counter')) > 0);
	await assertSucceeds(t, stack);

	await stack.exec('app', 'dd', 'if=/dev/urandom', 'of=/data/random', 'bs=1M', 'count=3');
	await t.throwsAsync(stack.exec('reader', 'dd', 'if=/dev/zero', 'of=/repository/filler', 'bs=1M'), {message: /No space left/});
	await assertFails(t, stack, /is full: .*no space left on device/i);
	await stack.exec('reader', 'rm', '/repository/filler');
	await assertSucceeds(t, stack);

	const release = await holdLock(t, stack);
	const {result: patient, events} = await observeBackup(stack, `${stack.project}/app`, async event => {
		if (event.type === 'warning' && event.message.includes('is in use by')) {
			await release();
		}
	});
	t.is(patient.outcome, 'success', patient.error);
	t.regex(warningsOf(events).join(), /the repository is in use by `[0-9a-f]{12}` \(process \d+, since .*\) alone: waiting for it/);
	const points = await pointsOf(stack);
	t.is(points.length, 3);

	await stack.change({environment: {RESTIC_PASSWORD: 'not the one'}});
	await assertUnwell(t, stack, /wrong password for repository/);
	await assertFails(t, stack, /wrong password for repository/);

	await stack.change({
		volumes: ['/var/run/docker.sock:/var/run/docker.sock', 'elsewhere:/repository', 'hf-state:/state', 'hf-cache:/cache'],
	});
	await assertUnwell(t, stack, /it was here before, with the id [0-9a-f]{64}, and is gone/);
	await assertFails(t, stack, /it was here before, with the id [0-9a-f]{64}, and is gone/);
	t.is(await stack.exec('holdfast', 'ls', '-A', '/repository'), '', 'no new repository was made');

	await stack.change({});
	await stack.ready();
	t.deepEqual(await pointsOf(stack), points);
	await assertSucceeds(t, stack);
	t.is((await pointsOf(stack)).length, 4);
	t.deepEqual((await reader.snapshots('holdfast-first-pass')).length, 0);
});

/** Another restic that has the repository for itself: it changes its password, and waits for the new one, which is the old one. */
const holdLock = async (t: ExecutionContext, stack: Stack): Promise<() => Promise<void>> => {
	await stack.exec('reader', 'mkfifo', '/tmp/password');
	const holding = execa('docker', ['exec', stack.container('reader'), 'restic', 'key', 'passwd', '--new-password-file', '/tmp/password'], {
		reject: false,
	});
	await until('the lock is there', async () => (await stack.exec('reader', 'ls', '/repository/locks')) !== '', {interval: 50});
	return async () => {
		await stack.exec('reader', 'sh', '-c', 'cat /state/repository-password >/tmp/password');
		const {exitCode, stderr} = await holding;
		t.is(exitCode, 0, `${stderr}`);
	};
};
