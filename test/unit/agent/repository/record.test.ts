/** A record is whole or not there, whenever restic reads it. */
import {readdir, writeFile} from 'node:fs/promises';
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
	t.deepEqual(await readdir(folder), []);

	// No room, say: what waits is ended
	const ended = Promise.withResolvers<unknown>();
	const waiting: Pick<Restic, 'backupStream'> = {
		async backupStream(options) {
			options.hold?.held();
			await options.hold?.go.catch(ended.resolve);
			return restic.backupStream({...options, hold: undefined});
		},
	};
	await writeFile(`${folder}/file`, '');
	await t.throwsAsync(openRecord(waiting, {...record, folder: `${folder}/file`, signal}).store('content'), {code: 'EEXIST'});
	t.like(await ended.promise, {code: 'EEXIST'});
	t.is(snapshots.length, 0);
});
