/** Whether the file system of a volume can make a snapshot of it, and what is made of one. */
import {mkdir, readdir} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {Restic} from '../../../../../agent/restic/restic.ts';
import {folderSnapshot, whyNoSnapshot} from '../../../../../agent/sources/volume/snapshot.ts';
import type {Place} from '../../../../../base/command.ts';
import {here} from '../../../../../base/here.ts';
import {temporaryFolder} from '../../../../support/temporary-folder.ts';

const path = '/shop/app/data';
const {signal} = new AbortController();

const mounted = (type: string, snapshots: string): string =>
	[
		`1 0 0:41 /data ${path} ro - ${type} /dev/x rw`,
		...(snapshots === '' ? [] : [`2 0 ${snapshots} /s /snapshots rw - btrfs /dev/x rw`]),
	].join('\n');

/** @param found by the inode that is looked for */
const worker =
	({type = 'btrfs', snapshots = '0:41', inode = '256', found = {} as Record<string, string>} = {}): Place =>
	async ({argv, ...command}) => {
		const said: Record<string, string> = {
			cat: mounted(type, snapshots),
			stat: inode,
			find: found[argv[argv.indexOf('-inum') + 1] ?? ''] ?? '',
		};
		return here({...command, argv: ['printf', '%s', said[argv[0]] ?? '']});
	};

test('what a file system cannot make a snapshot of is said with its reason', async t => {
	const why = async (options: Parameters<typeof worker>[0]) => whyNoSnapshot({worker: worker(options), signal}, path);
	t.is(await why({}), undefined);
	t.is(await why({type: 'ext4'}), 'its file system is ext4, and only btrfs can');
	for (const snapshots of ['', '0:42']) {
		t.is(await why({snapshots}), "no folder of its file system is mounted at /snapshots in Holdfast's container");
	}

	t.is(await why({inode: '4711'}), 'it is a folder, and only a subvolume can');
	t.is(await why({found: {256: 'a/b'}}), 'a subvolume is in it, at a/b, and would be empty');
	t.is(await why({found: {2: 'a/b'}}), 'what stands for a subvolume that was there once is in it, at a/b (rmdir removes it)');
});

/** With a `btrfs` that makes a folder, or says no; and that removes none, as to whom it is not allowed. */
async function scene(t: ExecutionContext, {fails = false, stub = ''} = {}) {
	const folder = temporaryFolder(t);
	await mkdir(join(folder, 'holdfast-me-run-3'));
	const place: Place = async ({argv, ...command}) => {
		const [program, ...rest] = argv.map(word => word.replace(/^\/snapshots/, folder).replace(path, folder));
		const script = fails ? 'return 1' : '[ "$3" = snapshot ] && mkdir "$5"';
		return program === 'sh'
			? here({...command, argv: ['sh', '-c', `btrfs() { ${script}; }; ${(rest[1] ?? '').replace('exec ', '')}`, ...rest.slice(2)]})
			: here({...command, argv: [program ?? '', ...rest]});
	};
	const opened: string[] = [];
	const snapshot = folderSnapshot(
		path,
		{
			worker: place,
			signal,
			agent: 'me',
			run: 'run',
			snapshots: {
				of: new Set(),
				async open(name, at) {
					opened.push(name, at);
					return {worker: worker({found: {2: stub}}), restic: {} as Restic};
				},
			},
		},
		3,
	);
	return {snapshot, opened, left: async () => readdir(folder)};
}

test('it is made when it is taken, shown in the place of the live files, and removed', async t => {
	const {snapshot, opened, left} = await scene(t);
	await snapshot.arm();
	t.deepEqual(await left(), []);
	await snapshot.arm();
	await snapshot.take(signal);
	t.deepEqual(await left(), ['holdfast-me-run-3']);
	await snapshot.open();
	t.deepEqual(opened, ['holdfast-me-run-3', path]);
	await snapshot.close();
	t.deepEqual(await left(), []);
	await snapshot.close();
});

test('what cannot be made, or is not all, is no snapshot', async t => {
	const refused = await scene(t, {fails: true});
	await refused.snapshot.arm();
	await t.throwsAsync(async () => refused.snapshot.take(signal), {message: /no snapshot of .* can be made/});
	const {snapshot} = await scene(t, {stub: 'made/since'});
	await snapshot.arm();
	await snapshot.take(signal);
	await t.throwsAsync(async () => snapshot.open(), {message: /a subvolume was made at made\/since/});
});

test('a moment that is over makes none', async t => {
	const {snapshot, left} = await scene(t);
	await snapshot.arm();
	await t.throwsAsync(async () => snapshot.take(AbortSignal.abort(new Error('too long'))), {message: 'too long'});
	await snapshot.close();
	t.deepEqual(await left(), []);
});
