/** Sparse files count what they hold. */
import {mkdtemp, open, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import type {ListOptions} from '../../../../../agent/restic/restic.ts';
import {heldBytes} from '../../../../../agent/sources/room.ts';
import {holesIn} from '../../../../../agent/sources/volume/holes.ts';
import {here} from '../../../../../base/here.ts';

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
	const context = {worker: here, signal: new AbortController().signal, restic: {list}} as unknown as Parameters<typeof holesIn>[0];
	const holes = await holesIn(context, folder, 'abcdef01');
	t.is(holes, 1_000_000_000 - held);
	t.is(heldBytes({bytes: 1_009_000_000, details: {holes}}), 9_000_000 + held);
	t.is(heldBytes({bytes: 5, details: {}}), 5);
	await Promise.all(['disk.img', 'left out\n.img'].map(async name => rm(join(folder, name))));
	t.is(await holesIn(context, folder, 'abcdef01'), 0);
	t.is(listed, 1, 'where nothing is sparse, the snapshot is not looked through');
});
