/** A record is whole or not there, whenever restic reads it. */
import {readdir} from 'node:fs/promises';
import {setImmediate as turn} from 'node:timers/promises';
import test from 'ava';
import {openRecord, storeRecord} from '../../../../agent/repository/record.ts';
import type {Restic} from '../../../../agent/restic/restic.ts';
import {memoryRepository} from '../../../support/doubles/memory-restic.ts';
import {manifestFolder} from '../../../support/doubles/workshop.ts';

const record = {filename: '/shop/app/manifest.json', name: 'r1', tags: ['holdfast'], time: new Date(0), host: 'host'};

test('what is stored is what was given, and nothing is left in the folder', async t => {
	const folder = await manifestFolder(t);
	const {restic, snapshots} = memoryRepository('primary', new Map());
	await storeRecord(restic, {...record, folder, content: 'one'});
	const opened = openRecord(restic, {...record, folder, signal: new AbortController().signal});
	await turn();
	t.is(snapshots.length, 1);
	await opened.store('two');
	t.deepEqual(
		snapshots.map(({content}) => content),
		['one', 'two'],
	);
	t.deepEqual(await readdir(folder), []);
});

test('one that was opened and is closed, cancelled, or let go before it has a content, stores nothing', async t => {
	const folder = await manifestFolder(t);
	const {restic, snapshots} = memoryRepository('primary', new Map());
	const {signal} = new AbortController();
	await openRecord(restic, {...record, folder, signal}).close();

	const controller = new AbortController();
	const cancelled = openRecord(restic, {...record, folder, signal: controller.signal});
	controller.abort(new Error('cancelled'));
	await t.throwsAsync(cancelled.store('content'), {message: 'cancelled'});

	// The agent died: what held restic's input open is gone
	const orphan: Pick<Restic, 'backupStream'> = {backupStream: async ({hold, ...options}) => restic.backupStream(options)};
	await t.throwsAsync(openRecord(orphan, {...record, folder, signal}).store('content'), {code: 'ENOENT'});
	t.is(snapshots.length, 0);
	t.deepEqual(await readdir(folder), []);
});
