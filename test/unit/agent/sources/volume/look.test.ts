/** What one walk tells of a volume that was read: which files are sparse, and how new one is that may have changed meanwhile. */
import {mkdtemp, open, rm, stat, utimes, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import type {ListOptions} from '../../../../../agent/restic/restic.ts';
import {heldBytes} from '../../../../../agent/sources/room.ts';
import {holesOf} from '../../../../../agent/sources/volume/holes.ts';
import {look} from '../../../../../agent/sources/volume/look.ts';
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
