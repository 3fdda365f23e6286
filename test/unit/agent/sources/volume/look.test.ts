/** What one walk tells of a volume that was read: which files are sparse, and how new one is that may have changed meanwhile. */
import {existsSync} from 'node:fs';
import {mkdtemp, open, readdir, rm, stat, utimes, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import type {ListOptions} from '../../../../../agent/restic/restic.ts';
import {heldBytes} from '../../../../../agent/sources/room.ts';
import {holesOf} from '../../../../../agent/sources/volume/holes.ts';
import {doublesOf, look, lossesOf} from '../../../../../agent/sources/volume/look.ts';
import {succeed} from '../../../../../base/command.ts';
import {here} from '../../../../../base/here.ts';

const context = {worker: here, signal: new AbortController().signal};
const later = new Date(Date.now() + 3_600_000);

test('holes are those of files that are in the snapshot', async t => {
	const folder = await mkdtemp(join(tmpdir(), 'hf-holes-'));
	t.teardown(async () => rm(folder, {recursive: true}));
	for (const name of ['disk.img', 'left out\n.img']) {
		const file = await open(join(folder, name), 'w');
		await file.truncate(1_000_000_000);
		await file.write(Buffer.alloc(65_536, 'x'), 0, 65_536, 500_000_000);
		await file.sync();
		await file.close();
	}

	await writeFile(join(folder, 'full'), Buffer.alloc(9_000_000, 'x'));
	const held = (await stat(join(folder, 'disk.img'))).blocks * 512;
	t.true(held > 0 && held < 1_000_000);
	let listed = 0;
	const list = async ({onEntry}: ListOptions) => {
		listed++;
		onEntry({path: 'disk.img', type: 'file', size: 1_000_000_000} as never);
		onEntry({path: 'full', type: 'file', size: 9_000_000} as never);
	};
	const holes = async () => {
		const {sparse} = await look(context, folder, later);
		return holesOf({...context, restic: {list} as never}, {path: folder, snapshot: 'abcdef01', sparse});
	};
	t.is(await holes(), 1_000_000_000 - held);
	t.is(heldBytes({bytes: 1_009_000_000, details: {holes: await holes()}}), 9_000_000 + held);
	t.is(heldBytes({bytes: 5, details: {}}), 5);
	await Promise.all(['disk.img', 'left out\n.img'].map(async name => rm(join(folder, name))));
	t.is(await holes(), 0);
	t.is(listed, 2, 'where nothing is sparse, the snapshot is not looked through');
});

test('the newest file is the one that was modified, or whose inode changed, last; what is older than the look says is none', async t => {
	const folder = await mkdtemp(join(tmpdir(), 'hf-look-'));
	t.teardown(async () => rm(folder, {recursive: true}));
	const file = join(folder, 'sparse and\nnew');
	const handle = await open(file, 'w');
	await handle.truncate(1_000_000_000);
	await handle.close();
	await utimes(file, 1, 1);
	t.is((await look(context, folder, later)).newest, undefined);
	const {newest, sparse} = await look(context, folder, new Date());
	const {ctimeMs} = await stat(file);
	t.true(newest !== undefined && newest.getTime() >= ctimeMs && newest.getTime() <= ctimeMs + 3, `${newest?.getTime()} ${ctimeMs}`);
	t.true(sparse.has('sparse and\nnew'));
	await utimes(file, later, later);
	const ahead = (await look(context, folder, later)).newest?.getTime() ?? 0;
	t.true(ahead >= later.getTime() && ahead <= later.getTime() + 2);
	await t.throwsAsync(
		look(context, join(folder, 'none'), later).then(async () =>
			look({...context, worker: async command => here({...command, argv: ['false']})}, folder, later),
		),
		{message: /cannot be searched/},
	);
});

test('what no point keeps is named: one name of FIFOs that have several, and a time that cannot be counted', async t => {
	// ext4 and xfs have no such times, or few of them.
	const folder = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'hf-lost-'));
	t.teardown(async () => rm(folder, {recursive: true}));
	const sh = async (script: string) => succeed(here, {argv: ['sh', '-ec', script, 'sh', folder]});
	await sh('cd "$1"; mkdir sub; mkfifo sub/one; echo >file; ln file hard; touch -d 1970-01-01 file; ln -s x link');
	t.deepEqual((await look(context, folder, later)).lost, {});
	t.deepEqual(lossesOf('volume:/data', {}), []);
	await sh('cd "$1"; ln sub/one a; touch -d 2300-01-01 sub; touch -h -d 1500-01-01 link');
	const {lost} = await look(context, folder, later);
	t.deepEqual(lost, {links: 'a', times: 'link'});
	const [links, times] = lossesOf('volume:/data', lost);
	t.regex(links ?? '', /^`volume:\/data`: several names of one FIFO, .*`a`/);
	t.regex(times ?? '', /before 1678 and after 2262 \(`link`\)/);
});

test('of a file that vanishes under the look, nothing is told', async t => {
	const folder = await mkdtemp(join(tmpdir(), 'hf-vanished-'));
	t.teardown(async () => rm(folder, {recursive: true}));
	await Promise.all(['a', 'b', 'c'].map(async name => writeFile(join(folder, name), '')));
	// The folder is read by the time that the first file of it is looked at.
	const vanishing: typeof here = async ({argv: [find, path, ...rest], ...command}) =>
		here({...command, argv: [find, `${path}`, '-type', 'f', '-exec', 'sh', '-c', 'rm -f "$0"/*', folder, ';', ',', ...rest]});
	const {lost, newest, sparse} = await look({...context, worker: vanishing}, folder, later);
	t.deepEqual(await readdir(folder), []);
	t.deepEqual({lost, newest, sparse: sparse.size}, {lost: {}, newest: undefined, sparse: 0});
});

test('snapshots that a file system keeps at the root are told, unless they are left out', async t => {
	const folder = await mkdtemp(join(tmpdir(), 'hf-doubles [x]-'));
	t.teardown(async () => rm(folder, {recursive: true}));
	await succeed(here, {argv: ['sh', '-ec', 'cd "$1"; mkdir -p .snapshots/1 sub/.zfs "#snapshot"; echo >.snap', 'sh', folder]});
	const {snapshots} = await look(context, folder, later);
	t.deepEqual(snapshots, ['#snapshot', '.snapshots']);
	t.deepEqual(doublesOf('volume:/data', snapshots, ['#snapshot/', './.snapshots']), []);
	t.regex(
		doublesOf('volume:/data', snapshots, ['#snapshot']).join(),
		/^`volume:\/data`: what is in `\.snapshots`.* `holdfast\.exclude: \.snapshots`/,
	);
});
