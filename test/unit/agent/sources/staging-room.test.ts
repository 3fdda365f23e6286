/** What is laid aside fits together, or nothing is written. */
import test from 'ava';
import {createStagingRoom} from '../../../../agent/sources/staging-room.ts';
import type {Place} from '../../../../base/command.ts';
import {here} from '../../../../base/here.ts';

const mebibyte = 1024 ** 2;

/** Whose disk has so much left. */
const disk =
	(mebibytes: number): Place =>
	async command =>
		here({
			...command,
			argv: ['printf', 'Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sda1 9 9 %d 50%% /var\n', String(mebibytes * 1024)],
		});

const roomOf = (mebibytes: number) => createStagingRoom(disk(mebibytes), '/staging', new AbortController().signal);

test('copies of the moment need room together, and one of those that are made in turn', async t => {
	const room = roomOf(1000);
	await room.claim('sqlite:/data/a.db', 200 * mebibyte, 'in the moment');
	await room.claim('sqlite:/data/b.db', 250 * mebibyte, 'in turn');
	await room.claim('sqlite:/data/c.db', 300 * mebibyte, 'in turn');
	await t.throwsAsync(room.claim('sqlite:/data/d.db', 10 * mebibyte, 'in the moment'), {
		message:
			/too little room .*: 1020\.0 MiB are needed \(510\.0 MiB and 510\.0 MiB that are left to others\), and the engine's disk has 1000\.0 MiB left/,
	});
});

test('what is not known before it is read may become as large as there is room', async t => {
	const room = roomOf(1000);
	t.is(await room.claim('tar:/etc/app', 0, 'in the moment'), (1000 - 64) * mebibyte);
	t.is(await room.claim('tar:/etc/app', 100 * mebibyte, 'in the moment'), (1000 - 100) * mebibyte, 'claimed anew, not twice');
	await t.throwsAsync(roomOf(50).claim('tar:/etc/app', 0, 'in the moment'), {message: /64\.0 MiB are needed/});
});

test('who has just looked how much is left asks nobody', async t => {
	const room = createStagingRoom(async () => t.fail() as never, '/staging', new AbortController().signal);
	t.is(await room.claim('sqlite:/data/a.db', 200 * mebibyte, 'in the moment', 1000 * mebibyte), (1000 - 200) * mebibyte);
	await t.throwsAsync(room.claim('sqlite:/data/b.db', 200 * mebibyte, 'in the moment', 500 * mebibyte), {
		message: /400\.0 MiB and 400\.0 MiB/,
	});
});
