/** What years of backups leave, and a start that gives every file to another owner: the agent stays small, and nothing takes quadratic time. Lane: measures. */
import test from 'ava';
import {runId} from '../../../base/ids.ts';
import {ensureImage} from '../../support/images.ts';
import {type MasterKey, writeSnapshots} from '../../support/stack/forged-snapshots.ts';
import {readerService} from '../../support/stack/reader.ts';
import {type Service, type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const hourMs = 3_600_000;

/** The most that the agent ever had, in MiB: its process, not the command line's. */
async function peakOf(stack: Stack): Promise<number> {
	const script = 'for p in /proc/[0-9]*; do grep -q "agent/main.js" $p/cmdline && cat $p/status; done 2>/dev/null; true';
	const found = [...(await stack.exec('holdfast', 'sh', '-c', script)).matchAll(/^VmHWM:\s+(\d+) kB$/gm)];
	return Math.max(...found.map(([, kilobytes]) => Number(kilobytes) / 1024));
}

const app = async (command: string) => ({
	image: await ensureImage('holdfast-test/app:latest'),
	init: true,
	command: ['sh', '-c', command],
	volumes: ['data:/data'],
	labels: {'holdfast.enable': 'true', 'holdfast.keep': 'last=30000'},
});

test.serial('60,000 snapshots: listed, counted, retained and backed up to below 256 MiB', async t => {
	t.timeout(20 * 60_000);
	const stack = await startStack(t, {volumes: ['data'], services: {app: await app('echo x >/data/file; exec sleep infinity')}});
	const target = `${stack.project}/app`;
	const [first] = await stack.backup(target);
	t.is(first?.outcome, 'success', first?.error);
	const listed = JSON.parse(await stack.restic('snapshots', '--json', '--tag', `run:${first?.run}`)) as Array<{id: string}>;
	const templates = await Promise.all(listed.map(async ({id}) => JSON.parse(await stack.restic('cat', 'snapshot', id))));
	t.is(templates.length, 2, 'the files and the manifest');
	const key = JSON.parse(await stack.restic('cat', 'masterkey')) as MasterKey;
	const folder = await stack.docker(['volume', 'inspect', '--format', '{{.Mountpoint}}', `${stack.project}_hf-repository`]);
	const forged = function* () {
		for (let index = 1; index <= 30_000; index++) {
			const time = Date.now() - index * hourMs;
			const run = runId(time);
			for (const {tags, ...template} of templates) {
				yield {
					...template,
					time: new Date(time).toISOString(),
					tags: tags.map((tag: string) => tag.replace(String(first?.run), run)),
				};
			}
		}
	};
	await writeSnapshots(folder, key, forged());
	// Its state does not know their runs, as that of an agent that came back from an older copy of it
	const own = templates[0].tags.find((tag: string) => tag.startsWith('agent:')).slice('agent:'.length);
	const adopted = await stack.holdfast('adopt', own, '--force');
	t.is(adopted.exitCode, 0, adopted.stderr);
	await stack.compose('restart', 'holdfast');
	await stack.ready();

	const timed = async <Value>(what: string, work: () => Promise<Value>): Promise<Value> => {
		const begun = performance.now();
		const value = await work();
		t.log(`${what}: ${((performance.now() - begun) / 1000).toFixed(1)} s, agent ${Math.round(await peakOf(stack))} MiB at its peak`);
		return value;
	};
	await timed('metrics', async () =>
		until(
			'the metrics to count them',
			async () => /^holdfast_restore_points\{[^}]*\} 30001$/m.test(String((await stack.api('GET', '/metrics')).body)),
			{timeout: 5 * 60_000, interval: 1000},
		),
	);
	const points = await timed('points', async () => JSON.parse((await stack.holdfast('points', target, '--json')).stdout) as unknown[]);
	t.is(points.length, 30_001);
	for (let night = 0; night < 2; night++) {
		const [result] = await timed('backup', async () => stack.backup(target));
		t.is(result?.outcome, 'success', result?.error);
		t.true((result?.durationSeconds ?? 0) < 180, `${result?.durationSeconds} s`);
	}

	const plan = await timed('restore plan', async () => stack.holdfast('restore', target, '--dry-run'));
	t.is(plan.exitCode, 0, plan.stderr);
	await timed('doctor', async () => stack.holdfast('doctor'));
	await until('what is kept no longer to be gone', async () => {
		const left = JSON.parse((await stack.holdfast('points', target, '--json')).stdout) as unknown[];
		return left.length === 30_000;
	});
	const peak = await peakOf(stack);
	t.true(peak > 20 && peak < 256, `${peak} MiB`);
});

const files = 1_000_000;

const fill = `
	const {mkdirSync, writeFileSync} = require('node:fs');
	for (let n = 0; n < ${files}; n++) {
		const folder = '/data/' + Math.floor(n / 1000);
		if (n % 1000 === 0) mkdirSync(folder, {recursive: true});
		writeFileSync(folder + '/a file of some length ' + n, String(n));
	}
	writeFileSync('/tmp/filled', '');`;

/** restic alone on the same files, with a repository of its own. */
const plain = (): Service => ({
	...readerService(),
	environment: {RESTIC_REPOSITORY: '/plain/repository', RESTIC_PASSWORD: 'plain', RESTIC_CACHE_DIR: '/plain/cache'},
	volumes: ['data:/data:ro', 'plain:/plain'],
});

/** A disk that others use has its bad minutes. */
const badMinutes = 60;

test.serial('a million files that got another owner take what plain restic takes, and fill no memory', async t => {
	t.timeout(120 * 60_000);
	const stack = await startStack(t, {volumes: ['data', 'plain'], services: {app: await app('exec sleep infinity'), plain: plain()}});
	const target = `${stack.project}/app`;
	await stack.docker(['exec', '--detach', stack.container('app'), 'node', '-e', fill]);
	await stack.exec('plain', 'restic', 'init');
	await until('the files', async () => (await stack.exec('app', 'sh', '-c', 'ls /tmp')).includes('filled'), {
		timeout: 15 * 60_000,
		interval: 2000,
	});
	const night = async (what: string) => {
		const [result] = await stack.backup(target);
		t.is(result?.outcome, 'success', result?.error);
		const seconds = result?.durationSeconds ?? Number.NaN;
		t.log(`${what}: ${seconds.toFixed(0)} s, outage ${result?.quiesceSeconds.toFixed(1)} s, agent ${Math.round(await peakOf(stack))} MiB`);
		return seconds;
	};
	const plainly = async (what: string) => {
		const begun = performance.now();
		await stack.exec('plain', 'restic', '--quiet', 'backup', '/data');
		const seconds = (performance.now() - begun) / 1000;
		t.log(`${what}, plain restic: ${seconds.toFixed(0)} s`);
		return seconds;
	};
	const giveTo = async (owner: string) => stack.exec('app', 'chown', '-R', owner, '/data');

	await night('first');
	await plainly('first');
	await giveTo('33:33');
	const bare = await plainly('after chown -R');
	const changed = await night('after chown -R');
	t.true(changed < 3 * bare + badMinutes, `${changed} s against ${bare} s`);
	const bareAgain = await plainly('unchanged');
	const unchanged = await night('unchanged');
	t.true(unchanged < 3 * bareAgain + badMinutes, `${unchanged} s against ${bareAgain} s`);

	// What was given away in the seconds before the backup is read twice
	await giveTo('34:34');
	const atOnce = await night('at once after chown -R');
	t.true(atOnce < 4 * bare + badMinutes, `${atOnce} s against ${bare} s`);
	const peak = await peakOf(stack);
	t.true(peak > 20 && peak < 256, `${peak} MiB`);
});
