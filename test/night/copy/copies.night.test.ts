/** Copies on real servers: what is copied, killed and cut, and brought back when the primary repository is lost. */
import test, {type ExecutionContext} from 'ava';
import {stringify} from 'yaml';
import type {RunEvent} from '../../../base/events.ts';
import type {CopyResult, RestoreResult} from '../../../base/results.ts';
import type {PointView} from '../../../base/shapes/points.ts';
import type {Finding} from '../../../base/shapes/targets.ts';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import type {PlainSnapshot} from '../../support/stack/reader.ts';
import {bytesAt, copiesOnServers, makeBucket, type Name, storageServers} from '../../support/stack/storage-servers.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const names = Object.keys(copiesOnServers) as Name[];

/** KiB a second: the copy of the data takes several seconds. */
const slowly = {limitUpload: '4096'};

const copy = async (stack: Stack, ...args: string[]): Promise<CopyResult[]> => {
	const {stdout, stderr} = await stack.holdfast('copy', ...args, '--json');
	const results = stdout.split('\n').filter(Boolean);
	if (results.length === 0) {
		throw new Error(`\`holdfast copy\` printed no result: ${stderr}`);
	}

	return results.map(line => JSON.parse(line) as CopyResult);
};

const pointsIn = async (stack: Stack, ...from: string[]): Promise<PointView[]> => {
	const {stdout, stderr, exitCode} = await stack.holdfast('points', ...from.flatMap(name => ['--from', name]), '--json');
	if (exitCode !== 0) {
		throw new Error(stderr);
	}

	return JSON.parse(stdout) as PointView[];
};

/** Plain restic on a copy, without Holdfast. */
const snapshotsIn = async (stack: Stack, name: Name): Promise<PlainSnapshot[]> => {
	const options = Object.entries(copiesOnServers[name].options ?? {}).map(([option, value]) => `--option=${option}=${value}`);
	const script = `set -a; . /etc/holdfast/s3.env; RESTIC_CACERT=/etc/holdfast/ca.pem RESTIC_PASSWORD='password of ${name}' exec restic --no-lock --no-cache --repo '${copiesOnServers[name].repository}' "$@"`;
	const printed = await stack.exec('holdfast', 'sh', '-c', script, 'restic', ...options, 'snapshots', '--json');
	return JSON.parse(printed) as PlainSnapshot[];
};

const manifestsAmong = (snapshots: readonly PlainSnapshot[]) => snapshots.filter(({tags}) => tags.some(tag => tag.startsWith('manifest:')));

/** Starts a copy and gives its run when bytes arrive at its server. */
const beginCopy = async (stack: Stack, name: Name): Promise<string> => {
	const {body} = await stack.api('POST', '/api/v1/copy', {copies: [name]});
	const [started] = (body as {runs: Array<{run: string}>}).runs;
	await until(`data to arrive at ${name}`, async () => (await bytesAt(stack, name)) > 6_000_000, {timeout: 60_000, interval: 100});
	return started?.run ?? '';
};

/** A hash of every file of the application, and of where it is. */
const hashes = (stack: Stack): Promise<string> => stack.exec('app', 'sh', '-c', 'cd /data && find . -type f | sort | xargs sha256sum');

const warningsOf = async (stack: Stack, run: string): Promise<string[]> => {
	const events: RunEvent[] = [];
	for await (const event of stack.follow(run)) {
		events.push(event);
	}

	return events.flatMap(event => (event.type === 'warning' ? [event.message] : []));
};

const assertWhole = async (t: ExecutionContext, stack: Stack, name: Name, points: number) => {
	const snapshots = await snapshotsIn(stack, name);
	t.is(snapshots.length, 2 * points, `${name}: one snapshot of the volume and one manifest for each point, none twice`);
	t.is(manifestsAmong(snapshots).length, points);
	t.is((await pointsIn(stack, name)).length, points);
};

test('copies survive a kill and a cut, and bring back an application whose primary repository is lost', async t => {
	t.timeout(10 * 60_000);
	const servers = await storageServers(t);
	const sections = Object.fromEntries(names.map(name => [name, {...copiesOnServers[name], ...slowly, schedule: '0 0 29 2 *'}]));
	await servers.write('config.yml', stringify({copies: sections}));
	const own = (repository: string, state: string) => [
		'/var/run/docker.sock:/var/run/docker.sock',
		`${servers.folder}:/etc/holdfast:ro`,
		`${repository}:/repository`,
		`${state}:/state`,
		'hf-cache:/cache',
	];
	const stack = await startStack(t, {
		services: {
			...servers.services,
			app: {
				image: await ensureImage('holdfast-test/app:latest'),
				entrypoint: ['sleep', 'infinity'],
				init: true,
				volumes: ['data:/data'],
				labels: {'holdfast.enable': 'true', 'holdfast.volumes': 'true'},
			},
		},
		volumes: ['data', 'elsewhere', 'new-state'],
		holdfast: {volumes: own('hf-repository', 'hf-state')},
	});
	await makeBucket(stack);
	await stack.exec('app', 'sh', '-c', 'mkdir /data/files && for n in 1 2 3; do head -c 10000000 /dev/urandom >/data/files/$n; done');
	const before = await hashes(stack);
	const [first] = await stack.backup('--all');
	t.is(first?.outcome, 'success', first?.error);

	const doctor = JSON.parse((await stack.holdfast('doctor', '--json')).stdout) as Finding[];
	t.deepEqual(
		doctor.filter(({subject}) => subject.startsWith('repository:')).map(({level, message}) => [level, message]),
		names.map(() => ['warning', 'it is not made yet']),
	);

	// The agent is killed while the data is on its way
	await beginCopy(stack, 'rest');
	await docker(['kill', '--signal', 'KILL', stack.container('holdfast')]);
	await docker(['start', stack.container('holdfast')]);
	await stack.ready();
	t.deepEqual(await pointsIn(stack, 'rest'), []);
	t.deepEqual(manifestsAmong(await snapshotsIn(stack, 'rest')), []);

	// The network is cut, and the run is stopped by a person; then it is whole again
	const cut = await beginCopy(stack, 's3');
	await docker(['network', 'disconnect', `${stack.project}_default`, stack.container('s3')]);
	await stack.holdfast('cancel', cut);
	const gone = await stack.holdfast('runs', cut, '--json');
	t.is((JSON.parse(gone.stdout) as {outcome: string}).outcome, 'failed');
	await docker(['network', 'connect', '--alias', 's3', `${stack.project}_default`, stack.container('s3')]);
	t.deepEqual(manifestsAmong(await snapshotsIn(stack, 's3')), []);

	const copied = await copy(stack);
	// Each is printed when it ends
	t.deepEqual(
		copied.map(({target, outcome, copied: count, points, error}) => [target, outcome, count, points, error].join(' ')).sort(),
		names.map(name => `repository:${name} success 1 1 `).sort(),
	);
	await Promise.all(names.map(async name => assertWhole(t, stack, name, 1)));
	const again = await copy(stack, 'sftp');
	t.deepEqual(
		again.map(({outcome, copied: count, points}) => [outcome, count, points]),
		[['success', 0, 1]],
	);
	await assertWhole(t, stack, 'sftp', 1);

	// Another restic reads the same content there, and the chunks were found again: the copies were made like the primary
	const trees = async (snapshots: PlainSnapshot[]) =>
		(snapshots as Array<PlainSnapshot & {tree: string}>).map(({tree, tags}) => `${tree} ${tags.join()}`);
	const isData = ({tags}: PlainSnapshot) => tags.some(tag => tag.startsWith('source:'));
	const primary = (JSON.parse(await stack.restic('snapshots', '--json')) as PlainSnapshot[]).filter(isData);
	const ofPoint = primary.filter(({tags}) => tags.includes('holdfast'));
	for (const name of names) {
		t.deepEqual(await trees((await snapshotsIn(stack, name)).filter(isData)), await trees(ofPoint), name);
	}

	const rehearsed = await stack.holdfast('drill', `${stack.project}/app`, '--from', 'rest', '--json');
	t.is(rehearsed.exitCode, 0, rehearsed.stdout + rehearsed.stderr);

	// The primary repository is lost: a restore falls back, and says so
	await stack.exec('app', 'sh', '-c', 'rm -rf /data/files && echo other >/data/other');
	await stack.change({volumes: own('elsewhere', 'hf-state')});
	const lost = await until(
		'the agent answers',
		async () => {
			const asked = await stack.holdfast('points');
			return !asked.stderr.includes('no agent answers') && asked;
		},
		{timeout: 60_000},
	);
	t.is(lost.exitCode, 1);
	t.regex(lost.stderr, /is gone/);
	const fallen = await restore(stack);
	t.is(fallen.outcome, 'success', fallen.error);
	t.is(await hashes(stack), before);
	t.regex((await warningsOf(stack, fallen.run)).join('\n'), /primary repository cannot be used.*is gone.*copy `(?:rest|s3|sftp)`/s);
	const undone = await stack.holdfast('restore', 'undo', fallen.run, '--json');
	t.is(undone.exitCode, 0, undone.stderr);
	t.is(await stack.exec('app', 'cat', '/data/other'), 'other', 'what the restore replaced is back');

	// A new host, where nothing of the old agent is left but the file: each copy brings the application back
	await stack.change({volumes: own('elsewhere', 'new-state')});
	await stack.ready();
	for (const name of names) {
		await stack.exec('app', 'sh', '-c', 'rm -rf /data/*');
		const result = await restore(stack, '--from', name);
		t.is(result.outcome, 'success', `${name}: ${result.error}`);
		t.is(await hashes(stack), before, name);
	}

	const unknown = await stack.holdfast('restore', `${stack.project}/app`, '--from', 'usb', '--yes');
	t.is(unknown.exitCode, 2);
	t.regex(unknown.stderr, /there is no copy `usb`/);
	const log = await docker(['logs', stack.container('holdfast')]);
	t.notRegex(log, /password of|rest-secret|s3-secret/);
});

const restore = async (stack: Stack, ...args: string[]): Promise<RestoreResult> => {
	return stack.restore(`${stack.project}/app`, ...args);
};
