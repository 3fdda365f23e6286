/** The moment that a point shows, proven with plain restic and psql; by night, what it costs, on much data. Lane: waits. */
import {mkdtemp, rm} from 'node:fs/promises';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import type {BackupResult} from '../../../base/results.ts';
import {ensureImage} from '../../support/images.ts';
import {backUp, momentOfGroup, plainRestic, quiet, snapshotOf} from '../../support/laws/moment.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

/** What the snapshot has of the page and of the log that was written beside it. */
async function countsIn(stack: Stack, service: string, result: BackupResult): Promise<{page: number; log: number}> {
	const folder = `/${stack.project}/${service}/volume/data`;
	const read = async (file: string, reader: string) =>
		Number(
			await stack.exec(
				...(['holdfast', 'sh', '-c', `${plainRestic} dump -- "$1" "$2" | ${reader}`, 'sh'] as const),
				snapshotOf(result, 'volume:/data'),
				`${folder}/${file}`,
			),
		);
	return {page: await read('page', 'od -An -tu8 -N8'), log: await read('log', 'tail -n 1')};
}

test.serial('what changes through mmap without a new time is in the snapshot as it was in the moment', async t => {
	t.timeout(10 * 60_000);
	const image = await ensureImage('holdfast-test/app:latest');
	const memory = await mkdtemp('/dev/shm/holdfast-moment-');
	t.teardown(() => rm(memory, {recursive: true, force: true}));
	const mapped = (volume: string) => ({
		image,
		init: true,
		stop_grace_period: '1s',
		command: ['python3', '/app/map-page.py'],
		volumes: [`${volume}:/data`],
		// Named: what lies below the host's /dev is taken for the system's own
		labels: {...quiet, 'holdfast.enable': 'true', 'holdfast.volumes': '/data'},
	});
	const stack = await startStack(t, {slowKey: true, services: {disk: mapped('mapped'), memory: mapped(memory)}, volumes: ['mapped']});
	for (const service of ['disk', 'memory']) {
		let lastChange = 0;
		const {result: moving} = await backUp(t, stack, service, async event => {
			if (event.type === 'step' && event.step === 'store') {
				await stack.exec(service, 'sh', '-c', 'touch /data/halt; until test -e /data/rests; do sleep 0.02; done');
				lastChange = Date.now() / 1000;
			}
		});
		const inMotion = await countsIn(stack, service, moving);
		const pageTime = Number(await stack.exec(service, 'stat', '--format=%Y', '/data/page'));
		const {result: resting} = await backUp(t, stack, service);
		const atRest = await countsIn(stack, service, resting);
		const final = Number(await stack.exec(service, 'tail', '-n', '1', '/data/log'));
		const age = (lastChange - pageTime).toFixed(1);
		t.log(`${service}: page ${inMotion.page} beside log ${inMotion.log}; at rest ${atRest.page} of ${final}, ${age} s newer than its time`);
		t.true(inMotion.page > 0);
		t.true([0, 1].includes(inMotion.page - inMotion.log), `${service}: page ${inMotion.page}, log ${inMotion.log}`);
		t.deepEqual(atRest, {page: final, log: final}, `${service}: changed after the moment of the run before, and never again`);
	}
});

/** A backup, and how often it read the files while the application ran, by the commands that the engine was given. It remembers few, and of all who use it: they are followed. */
async function backUpCounting(t: ExecutionContext, stack: Stack): Promise<{result: BackupResult; passes: number}> {
	const events = execa('docker', ['events', '--filter', 'event=exec_create', '--format', '{{.Action}}'], {reject: false, buffer: false});
	let told = '';
	events.stdout.setEncoding('utf8').on('data', (piece: string) => {
		told += piece;
	});
	const untilTold = async (mark: string) =>
		until(`the engine to tell of ${mark}`, async () => {
			await stack.exec('app', 'true', mark);
			return told.includes(mark);
		});
	try {
		await untilTold('the beginning');
		const {result} = await backUp(t, stack, 'app');
		await untilTold(`the end of ${result.run}`);
		const isPass = (line: string) => line.includes('--tag=holdfast-first-pass') && line.includes(`${stack.project}/app`);
		return {result, passes: told.split('\n').filter(isPass).length};
	} finally {
		events.kill();
		await events;
	}
}

test.serial('what did not change is not read while the application runs; what changes in the last moment is in the point', async t => {
	const stack = await startStack(t, {
		services: {
			app: {
				image: await ensureImage('debian:trixie-slim'),
				init: true,
				command: ['sh', '-c', 'seq 100000 >/data/old; exec sleep infinity'],
				volumes: ['data:/data'],
				labels: {
					...quiet,
					'holdfast.enable': 'true',
					'holdfast.before': 'cp /tmp/late /data/late',
					'holdfast.before.on-error': 'continue',
				},
			},
		},
		volumes: ['data'],
	});
	t.is((await backUpCounting(t, stack)).passes, 1);
	// Now the files are older than the run that this one looks back to.
	await backUp(t, stack, 'app');
	await stack.exec('app', 'sh', '-c', 'echo late >/tmp/late');
	const {result: third, passes} = await backUpCounting(t, stack);
	t.is(passes, 0);
	const folder = `/${stack.project}/app/volume/data`;
	t.is(await stack.restic('dump', snapshotOf(third, 'volume:/data'), `${folder}/late`), 'late');
	t.regex(await stack.restic('dump', snapshotOf(third, 'volume:/data'), `${folder}/old`), /^100000$/m);
	t.true((await backUpCounting(t, stack)).passes > 0, 'the hook has changed the volume since');
});

test.serial('rows and files of a group are of one moment', async t => {
	t.timeout(5 * 60_000);
	await momentOfGroup(t, [100]);
});
