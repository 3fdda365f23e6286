/** When the files of a volume are read while the application runs, and when the backup before serves instead. */
import {mkdir, mkdtemp, rename, rm, utimes, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import type {Hold} from '../../../../../agent/restic/hold.ts';
import {createPace} from '../../../../../agent/sources/pace.ts';
import type {PlannedSource, SourceContext} from '../../../../../agent/sources/source.ts';
import {volumeSource} from '../../../../../agent/sources/volume/backup.ts';
import type {Place} from '../../../../../base/command.ts';
import {RepositoryError} from '../../../../../base/errors.ts';
import {here} from '../../../../../base/here.ts';

const inWorker = '/shop/app/volume/data';

interface Options {
	createdAt?: number;
	fileSystem?: string;
	vanishing?: boolean;
	isLatest?: boolean;
	bytes?: number;
	files?: number;
	/** How much newer than the start of the backup before a file was that it read while it changed, in milliseconds; null: none was. */
	newest?: number | null | undefined;
	/** What becomes of a pass over nothing but what changed: the files that it had to read. */
	ahead?: {files: number} | Error;
	/** What the label leaves out. */
	unwanted?: readonly string[];
	/** Of the same point. */
	others?: number;
	/** What a pass before has shown of the repository. */
	bytesPerSecond?: number;
}

/** A folder that was there long before, its backup of a minute ago, and what a backup of now asks of restic. */
async function scene(
	t: ExecutionContext,
	{
		createdAt = 0,
		fileSystem = 'ext4',
		vanishing = false,
		isLatest = true,
		bytes = 1e9,
		files = 10,
		newest,
		ahead = {files: 1},
		unwanted = [],
		others = 0,
		bytesPerSecond,
	}: Options = {},
) {
	const folder = await mkdtemp(join(tmpdir(), 'hf-volume-'));
	t.teardown(async () => rm(folder, {recursive: true}));
	await mkdir(join(folder, 'inner'));
	await writeFile(join(folder, 'inner/file'), 'content');
	// The time of its inodes cannot be set: the backup before is put after it.
	await delay(20);
	const runStartedAt = new Date(Date.now() + 2000);
	const worker: Place = async command => {
		const [program, ...rest] = command.argv.map(word => word.replace(inWorker, folder)) as [string, ...string[]];
		// The first look, which writes back, too
		if (program === 'sh') {
			did.push('sync');
			const [option = '', script, ...others] = rest;
			const find = vanishing ? 'find() { echo "find: it: No such file or directory" >&2; return 1; };' : '';
			return here({...command, argv: ['sh', option, `stat() { echo ${fileSystem}; }; ${find} ${script}`, ...others]});
		}

		did.push(program);
		return here({...command, argv: [program, ...rest]});
	};
	const pace = createPace();
	if (bytesPerSecond !== undefined) {
		pace.learn({addedBytes: bytesPerSecond, seconds: 1});
	}

	const parents: Array<string | undefined> = [];
	const did: string[] = [];
	/** The second passes that wait for the moment, and how many have ever. */
	const waiting = new Set<{parent: string | undefined; die: (reason: Error) => void}>();
	let started = 0;
	let time = new Date();
	const held = async (parent: string | undefined, {held: hear, go}: Hold) => {
		started++;
		const {promise: death, reject: die} = Promise.withResolvers<never>();
		const second = {parent, die};
		waiting.add(second);
		hear();
		try {
			await Promise.race([go, death]);
		} catch (error) {
			waiting.delete(second);
			throw error;
		}

		return {snapshot: 'second', bytes, addedBytes: 0, files, unmodifiedFiles: 0};
	};
	const context = {
		run: 'now',
		target: 'shop/app',
		worker,
		restic: {
			async backupFiles({parent, only, hold}: {parent?: string; only?: readonly string[]; hold?: Hold}) {
				if (hold !== undefined) {
					return held(parent, hold);
				}

				parents.push(parent);
				did.push(only === undefined ? 'pass' : `ahead ${only.join()}`);
				if (only !== undefined && ahead instanceof Error) {
					throw ahead;
				}

				const unmodifiedFiles = only === undefined || ahead instanceof Error ? 0 : files - ahead.files;
				return {snapshot: `pass-${parents.length}`, bytes, addedBytes: 0, files, unmodifiedFiles};
			},
			rewriteWithout: async (snapshot: string, files: readonly string[]) => (files.length === 0 ? snapshot : `${snapshot}-without`),
		},
		host: 'host',
		pace,
		time: () => time,
		previous: () => ({
			snapshot: 'before',
			runStartedAt,
			runEndedAt: runStartedAt,
			isLatest,
			newest: newest == null ? newest : new Date(runStartedAt.getTime() + newest),
		}),
		warnOnce: (subject: string, messages: readonly string[]) => warned.push(...messages.map(message => `${subject}: ${message}`)),
		signal: new AbortController().signal,
	} as unknown as SourceContext;
	const warned: string[] = [];
	const source = volumeSource(
		{
			kind: 'volume',
			name: 'volume:/data',
			container: {createdAt},
			mount: {path: '/data', volume: 'data'},
			exclude: unwanted,
			unwanted,
		} as unknown as Parameters<typeof volumeSource>[0],
		context,
		{index: 0, all: Array.from({length: 1 + others}, () => ({container: {}}) as PlannedSource)},
	);
	return {
		folder,
		did,
		later: new Date(runStartedAt.getTime() + 1000),
		async passes() {
			await source.prepare();
			await source.firstPass();
			await source.arm();
			t.is(waiting.size, 1, 'one second pass waits');
			parents.push(...[...waiting].map(({parent}) => parent));
			did.push('moment');
			return parents;
		},
		started: () => started,
		warned,
		async store() {
			await source.prepare();
			await source.firstPass();
			await source.arm();
			await source.pin(context.signal);
			return source.store();
		},
		/** What waits for the moment is killed. */
		async killed() {
			for (const {die} of waiting) {
				die(new Error('killed'));
			}

			await delay(0);
			t.is(waiting.size, 0);
		},
		arm: async () => source.arm(),
		async pin() {
			await source.pin(new AbortController().signal);
		},
		async armedLater() {
			time = new Date(time.getTime() + 5000);
			await source.arm();
			return waiting.size;
		},
	};
}

test('what did not change since the backup before is not read while the application runs', async t => {
	const {passes} = await scene(t);
	t.deepEqual(await passes(), ['before']);
});

test('what reads in the moment is started once, beside the look whether it will do, unless it will not or has another time', async t => {
	const unchanged = await scene(t, {newest: null});
	await unchanged.passes();
	t.is(unchanged.started(), 1);
	t.is(await unchanged.armedLater(), 1);
	t.is(unchanged.started(), 2);

	const little = await scene(t, {newest: null});
	await utimes(join(little.folder, 'inner/file'), little.later, little.later);
	await little.passes();
	t.is(little.started(), 1);

	const more = await scene(t, {newest: null, ahead: {files: 2}});
	await utimes(join(more.folder, 'inner/file'), more.later, more.later);
	t.is((await more.passes()).at(-1), 'pass-2-without');
	t.is(more.started(), 2);

	const failed = await scene(t, {isLatest: false});
	await failed.passes();
	t.is(failed.started(), 1);
});

test('a point of nothing, because of what the label leaves out, is none; beside others it is told', async t => {
	const alone = await scene(t, {files: 0, unwanted: ['inner']});
	await t.throwsAsync(alone.store(), {
		message: '`holdfast.exclude` leaves out all that is in it, "inner/file" for one: nothing of it is backed up',
	});

	const beside = await scene(t, {files: 0, unwanted: ['inner'], others: 1});
	t.is((await beside.store()).snapshot, 'second');
	t.regex(
		beside.warned.join(),
		/^volume:\/data without all: `volume:\/data`: `holdfast\.exclude` leaves out all that is in it, "inner\/file"/,
	);

	const some = await scene(t, {files: 1, unwanted: ['other']});
	await some.store();
	t.deepEqual(some.warned, []);

	const empty = await scene(t, {files: 0, unwanted: ['inner']});
	await rm(join(empty.folder, 'inner/file'));
	await empty.store();
	t.deepEqual(empty.warned, []);
});

test('what waited for the moment and died is started again', async t => {
	const {passes, killed, started, arm, pin} = await scene(t, {newest: null});
	await passes();
	await killed();
	await arm();
	t.is(started(), 2);
	await t.notThrowsAsync(pin());
});

/** Without the looks. */
const steps = (did: readonly string[]) => did.filter(step => !['find', 'sync'].includes(step));

test('little that changed since is read ahead alone, and in the moment', async t => {
	const {passes, folder, later, did} = await scene(t, {newest: null});
	await utimes(join(folder, 'inner/file'), later, later);
	t.deepEqual(await passes(), ['before', 'before']);
	t.deepEqual(steps(did), [`ahead ${inWorker}/inner/file`, 'moment']);
});

test('so little that a repository in a folder takes it at once is read in the moment alone, but not where more may have come with a folder', async t => {
	const fast = await scene(t, {newest: null, bytesPerSecond: 1e8});
	await utimes(join(fast.folder, 'inner/file'), fast.later, fast.later);
	t.deepEqual(await fast.passes(), ['before']);
	t.is(fast.started(), 1);

	const large = await scene(t, {newest: null, bytesPerSecond: 1e8});
	await writeFile(join(large.folder, 'inner/file'), Buffer.alloc(3e7));
	await utimes(join(large.folder, 'inner/file'), large.later, large.later);
	t.deepEqual(await large.passes(), ['before', 'before']);

	const filled = await scene(t, {newest: null, bytesPerSecond: 1e8});
	await utimes(join(filled.folder, 'inner/file'), filled.later, filled.later);
	await utimes(join(filled.folder, 'inner'), filled.later, filled.later);
	t.deepEqual(await filled.passes(), ['before', 'before']);

	const beside = await scene(t, {newest: null, bytesPerSecond: 1e8, others: 9});
	await writeFile(join(beside.folder, 'inner/file'), Buffer.alloc(3e6));
	await utimes(join(beside.folder, 'inner/file'), beside.later, beside.later);
	t.deepEqual(await beside.passes(), ['before', 'before']);
});

test('a file that may have changed after the backup before had read it is read again, whatever its times', async t => {
	for (const newest of [undefined, 1000]) {
		const {passes, folder, later, did} = await scene(t, {newest});
		await utimes(join(folder, 'inner/file'), later, later);
		t.deepEqual(await passes(), ['before', 'pass-1-without']);
		t.deepEqual(steps(did), ['pass', 'moment']);
	}

	const {passes, folder, later} = await scene(t, {newest: 999});
	await utimes(join(folder, 'inner/file'), later, later);
	t.deepEqual(await passes(), ['before', 'before']);
});

test('where more was there than what is new, or some of it is gone, all is looked at; what the repository says is an error', async t => {
	for (const ahead of [{files: 2}, new RepositoryError('failed', 'it is gone')]) {
		const {passes, folder, later, did} = await scene(t, {newest: null, ahead});
		await utimes(join(folder, 'inner/file'), later, later);
		t.deepEqual(await passes(), ['before', 'before', 'pass-2-without']);
		t.deepEqual(steps(did), [`ahead ${inWorker}/inner/file`, 'pass', 'moment']);
	}

	const {passes, folder, later} = await scene(t, {newest: null, ahead: new RepositoryError('full', 'no room')});
	await utimes(join(folder, 'inner/file'), later, later);
	await t.throwsAsync(passes(), {message: 'no room'});
});

test('very much that changed is read again while the application runs, and each time what is mapped into memory is written back before', async t => {
	const inAnHour = new Date(Date.now() + 3_600_000);
	for (const isLatest of [true, false]) {
		const {passes, folder, later, did} = await scene(t, {isLatest});
		// First of all: the time of its inode must be one of the backup before
		await utimes(join(folder, 'inner/file'), later, later);
		for (let n = 0; n <= 1000; n++) {
			await writeFile(join(folder, 'inner', String(n)), 'content');
			// However long this takes
			await utimes(join(folder, 'inner', String(n)), inAnHour, inAnHour);
		}

		await passes();
		const passed = did.filter(step => step !== 'find');
		t.deepEqual(passed, ['sync', 'pass', 'sync', 'pass', 'sync', 'pass', 'sync', 'pass', 'moment']);
		// Once more a look, which tells what is read in the moment
		t.true(did.lastIndexOf('find') > did.lastIndexOf('pass'));
	}
});

test('a folder that got another name is a change, though its files are old', async t => {
	const {passes, folder, later} = await scene(t, {newest: null, ahead: {files: 0}});
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
		[{bytes: 10e6, files: 2000}, ['before', 'pass-1-without']],
		[{bytes: 20e6}, ['before', 'pass-1-without']],
		[{bytes: 10e6, newest: null}, ['before', 'before']],
	] as const) {
		const {passes, folder, later} = await scene(t, size);
		await utimes(join(folder, 'inner/file'), later, later);
		t.deepEqual(await passes(), expected, JSON.stringify(size));
	}

	t.deepEqual(await (await scene(t, {bytes: 10e6})).passes(), ['before']);
	t.deepEqual(await (await scene(t, {bytes: 10e6, isLatest: false})).passes(), ['before', undefined]);
});
