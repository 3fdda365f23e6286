/** Whether what is live is read again while the application waits. */
import {utimes, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {RestoreOptions} from '../../../../../agent/restic/restic.ts';
import {comparing, rollBackVolume, volumeRestoring} from '../../../../../agent/sources/volume/restore.ts';
import type {Place} from '../../../../../base/command.ts';
import {here} from '../../../../../base/here.ts';
import {temporaryFolder} from '../../../../support/temporary-folder.ts';

type Old = Parameters<typeof rollBackVolume>[0];

const inWorker = '/shop/app/volume/data';

/** @param differs bytes that differ by their content, and by their times */
async function scene(t: ExecutionContext, {content, times, fileSystem = 'ext4'}: {content: number; times: number; fileSystem?: string}) {
	const folder = temporaryFolder(t);
	await writeFile(join(folder, 'file'), 'content');
	const restored: RestoreOptions[] = [];
	const read: string[] = [];
	const worker: Place = async ({argv: [program, ...rest], ...command}) =>
		here({
			...command,
			argv: program === 'stat' ? ['echo', fileSystem] : [program, ...rest.map(word => word.replace(inWorker, folder))],
		});
	const context = {
		target: 'shop/app',
		worker,
		restic: {
			changes: async ({byTimes}: RestoreOptions) => ({bytes: byTimes ? times : content}),
			async restore(options: RestoreOptions) {
				restored.push(options);
			},
		},
		resticInto: () => ({
			dump: async (snapshot: string) => {
				read.push(snapshot);
				return here({argv: ['true']});
			},
		}),
		remember() {},
		signal: new AbortController().signal,
		tell() {},
	} as unknown as Parameters<typeof volumeRestoring>[1];
	const source = {
		name: 'volume:/data',
		kind: 'volume',
		target: 'shop/app',
		container: {id: 'c', name: 'app', createdAt: 0, mounts: []},
		mount: {type: 'volume', path: '/data', volume: 'data', readWrite: true},
		exclude: [],
		stored: {snapshot: 'ab'.repeat(32), path: inWorker},
	} as unknown as Parameters<typeof volumeRestoring>[0];
	const restoring = volumeRestoring(source, context, {index: 0, all: [source]});
	return {
		read,
		async swap(meanwhile = async (_file: string) => {}) {
			await restoring.load();
			await restoring.ready?.();
			await meanwhile(join(folder, 'file'));
			await restoring.keep();
			await restoring.swap();
			return restored.map(({byTimes = false, delete: removes, unlocked = false}) => ({byTimes, removes, unlocked}));
		},
	};
}

const theRoot = {byTimes: false, removes: false, unlocked: true};

test('where times tell as much as content, what is live is not read again', async t => {
	for (const bytes of [0, 5000]) {
		const {swap, read} = await scene(t, {content: bytes, times: bytes});
		t.deepEqual(await swap(), [{byTimes: true, removes: true, unlocked: false}, theRoot]);
		t.is(read.length, bytes === 0 ? 0 : 1);
	}
});

test('where they tell less, or nothing at all, everything is read', async t => {
	const whole = [{byTimes: false, removes: true, unlocked: false}, theRoot];
	t.deepEqual(await (await scene(t, {content: 5000, times: 4000})).swap(), whole);
	t.deepEqual(await (await scene(t, {content: 0, times: 0, fileSystem: 'tmpfs'})).swap(), whole);
});

test('a file that was changed since and given its old time again is read', async t => {
	const {swap} = await scene(t, {content: 0, times: 0});
	const calls = await swap(async file => {
		await writeFile(file, 'changed');
		await utimes(file, 1_000_000_000, 1_000_000_000);
	});
	t.false(calls[0]?.byTimes);
});

test('a mounted single file is written, and then gets its owner, mode and times: a server refuses keys that others may read', async t => {
	const folder = temporaryFolder(t);
	const to = join(folder, 'a*.json');
	await writeFile(to, 'keys');
	const restored: RestoreOptions[] = [];
	const told: unknown[] = [];
	const failing = {is: false};
	const roll = async () =>
		rollBackVolume(
			{source: 'volume:/acme.json', kind: 'volume', mount: {to}, safety: 'ab', exclude: []} as unknown as Old,
			{
				target: 'shop/proxy',
				worker: here,
				restic: {
					async restore(options: RestoreOptions) {
						restored.push(options);
						if (failing.is) {
							throw new Error('operation not permitted');
						}
					},
				},
				resticInto: () => ({dump: async () => here({argv: ['true']})}),
				signal: new AbortController().signal,
				tell: (event: unknown) => told.push(event),
			} as unknown as Parameters<typeof rollBackVolume>[1],
		);
	await roll();
	const [only] = restored;
	t.deepEqual(
		[restored.length, only?.subfolder, only?.into, only?.include, only?.delete],
		[1, folder, folder, [String.raw`/a\*.json`], false],
	);
	t.deepEqual(told, []);
	failing.is = true;
	await roll();
	t.regex(JSON.stringify(told), /the owner, mode and times of the single file .* could not be set: operation not permitted/);
});

test('what is left alone is named as restic reads it: other programs go by the same patterns', t => {
	const source = {
		name: 'volume:/data',
		target: 'shop/app',
		mount: {path: '/data', kind: 'volume', volume: 'data', writable: true},
		exclude: ['cache/', './had/only//this', '/**/.thumbs/', '*.tmp'],
		stored: {snapshot: 's', path: inWorker, details: {}},
	} as unknown as Parameters<typeof comparing>[0];
	t.deepEqual(comparing(source, []).exclude?.slice(0, 4), ['/cache', '/had/only/this', '/**/.thumbs', '/*.tmp']);
});
