/** When the files of a volume are read while the application runs, and when the backup before serves instead. */
import {mkdir, mkdtemp, rename, rm, utimes, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import type {Hold} from '../../../../../agent/restic/hold.ts';
import type {SourceContext} from '../../../../../agent/sources/source.ts';
import {volumeSource} from '../../../../../agent/sources/volume/backup.ts';
import type {Place} from '../../../../../base/command.ts';
import {here} from '../../../../../base/here.ts';

const inWorker = '/shop/app/volume/data';

/** A folder that was there long before, its backup of a minute ago, and what a backup of now asks of restic. */
async function scene(
	t: ExecutionContext,
	{createdAt = 0, fileSystem = 'ext4', vanishing = false, isLatest = true, bytes = 1e9, files = 10} = {},
) {
	const folder = await mkdtemp(join(tmpdir(), 'hf-volume-'));
	t.teardown(async () => rm(folder, {recursive: true}));
	await mkdir(join(folder, 'inner'));
	await writeFile(join(folder, 'inner/file'), 'content');
	// The time of its inodes cannot be set: the backup before is put after it.
	await delay(20);
	const runStartedAt = new Date(Date.now() + 2000);
	const worker: Place = async command => {
		const [program, ...rest] = command.argv;
		did.push(program);
		if (vanishing && rest.includes('-quit')) {
			return here({...command, argv: ['sh', '-c', 'echo "find: it: No such file or directory" >&2; exit 1']});
		}

		return program === 'stat'
			? here({...command, argv: ['echo', fileSystem]})
			: here({...command, argv: [program, ...rest.map(word => word.replace(inWorker, folder))]});
	};
	const parents: Array<string | undefined> = [];
	const did: string[] = [];
	const context = {
		run: 'now',
		target: 'shop/app',
		worker,
		restic: {
			async backupFiles({parent, hold}: {parent?: string; hold?: Hold}) {
				parents.push(parent);
				did.push(hold === undefined ? 'pass' : 'moment');
				hold?.held();
				return {snapshot: `pass-${parents.length}`, bytes, addedBytes: 0, files};
			},
			rewriteWithout: async (snapshot: string, files: readonly string[]) => (files.length === 0 ? snapshot : `${snapshot}-without`),
		},
		host: 'host',
		time: () => new Date(),
		previous: () => ({snapshot: 'before', runStartedAt, runEndedAt: runStartedAt, isLatest}),
		signal: new AbortController().signal,
	} as unknown as SourceContext;
	const source = volumeSource(
		{
			kind: 'volume',
			name: 'volume:/data',
			container: {createdAt},
			mount: {path: '/data', volume: 'data'},
			exclude: [],
		} as unknown as Parameters<typeof volumeSource>[0],
		context,
		{index: 0, all: []},
	);
	return {
		folder,
		did,
		later: new Date(runStartedAt.getTime() + 1000),
		async passes() {
			await source.prepare();
			await source.firstPass();
			await source.arm();
			return parents;
		},
	};
}

test('what did not change since the backup before is not read while the application runs', async t => {
	const {passes} = await scene(t);
	t.deepEqual(await passes(), ['before']);
});

test('a file that changed is read, and whatever changes from now on is read again', async t => {
	const {passes, folder, later} = await scene(t);
	await utimes(join(folder, 'inner/file'), later, later);
	t.deepEqual(await passes(), ['before', 'pass-1-without', 'pass-2-without']);
});

test('very much that changed is read again while the application runs, and each time what is mapped into memory is written back before', async t => {
	const inAnHour = new Date(Date.now() + 3_600_000);
	for (const isLatest of [true, false]) {
		const {passes, folder, later, did} = await scene(t, {isLatest});
		for (let n = 0; n <= 1000; n++) {
			await writeFile(join(folder, 'inner', String(n)), 'content');
			// However long this takes
			await utimes(join(folder, 'inner', String(n)), inAnHour, inAnHour);
		}

		await utimes(join(folder, 'inner/file'), later, later);
		await passes();
		const steps = did.filter(step => step !== 'find' && step !== 'stat');
		t.deepEqual(steps, ['sync', 'pass', 'sync', 'pass', 'sync', 'pass', 'sync', 'pass', 'moment']);
		// Once more a look, which tells what is read in the moment
		t.true(did.lastIndexOf('find') > did.lastIndexOf('pass'));
	}
});

test('a folder that got another name is a change, though its files are old', async t => {
	const {passes, folder, later} = await scene(t);
	await rename(join(folder, 'inner'), join(folder, 'other'));
	await utimes(folder, later, later);
	t.is((await passes()).length, 2);
});

test('after a run that failed everything is looked at', async t => {
	const {passes} = await scene(t, {isLatest: false});
	t.is((await passes()).length, 2);
});

test('what vanishes while it is looked through is a change', async t => {
	const {passes} = await scene(t, {vanishing: true});
	t.is((await passes()).length, 2);
});

test('a container that was made anew may have another volume there, or a file system without such times: everything is read', async t => {
	t.is((await (await scene(t, {createdAt: Date.now() + 60_000})).passes()).length, 2);
	t.deepEqual(await (await scene(t, {fileSystem: 'tmpfs'})).passes(), [undefined, undefined]);
});

test('a little that changed is read again whole, and nothing is told apart; a little that did not is not read', async t => {
	for (const [size, expected] of [
		[{bytes: 10e6}, ['before', undefined]],
		[{bytes: 10e6, files: 2000}, ['before', 'pass-1-without', 'pass-2-without']],
		[{bytes: 20e6}, ['before', 'pass-1-without', 'pass-2-without']],
	] as const) {
		const {passes, folder, later} = await scene(t, size);
		await utimes(join(folder, 'inner/file'), later, later);
		t.deepEqual(await passes(), expected, JSON.stringify(size));
	}

	t.deepEqual(await (await scene(t, {bytes: 10e6})).passes(), ['before']);
	t.deepEqual(await (await scene(t, {bytes: 10e6, isLatest: false})).passes(), ['before', undefined]);
});
