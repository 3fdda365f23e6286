import {PassThrough, Readable} from 'node:stream';
import {buffer} from 'node:stream/consumers';
import {gunzipSync} from 'node:zlib';
import test from 'ava';
import {extract} from 'tar-stream';
import {exportPoint} from '../../../../agent/archive/export.ts';
import type {Manifest} from '../../../../agent/repository/manifest.ts';
import type {Entry, Restic} from '../../../../agent/restic/restic.ts';
import type {Running} from '../../../../base/command.ts';
import {RepositoryError, UsageError} from '../../../../base/errors.ts';
import {tar, uuid} from '../../../support/doubles/portable.ts';

const source = (name: string, kind: 'postgres' | 'volume' | 'sqlite', details: Record<string, unknown> = {}) => ({
	source: name,
	kind,
	snapshot: 'abcd1234',
	bytes: 9,
	addedBytes: 0,
	durationSeconds: 2.4,
	path: `/shop/${kind}`,
	container: {name: 'shop-app-1', image: 'shop:7', imageId: 'sha256:1', labels: {}},
	details: {format: 'custom', databaseSize: 1234, ...details},
});

const manifest = (...sources: Array<ReturnType<typeof source>>): Manifest => ({
	schema: 1,
	run: 'p1',
	target: 'shop/app',
	time: '2026-11-03T12:34:56.000Z',
	startedAt: '2026-11-03T12:34:56.000Z',
	host: 'host',
	engineVersion: '1',
	holdfastVersion: '1',
	resticVersion: '1',
	quiesced: [],
	quiesceSeconds: 0,
	sources,
});

const shop = manifest(source('db/postgres:app', 'postgres'), source('app/volume:/data', 'volume'));

const running = (stdout: Readable, failure?: Error): Running => {
	const done = failure === undefined ? Promise.resolve({exitCode: 0, stderr: ''}) : Promise.reject(failure);
	done.catch(() => {});
	return {
		stdin: new PassThrough(),
		stdout,
		done,
		async kill() {
			stdout.destroy();
		},
	};
};

interface Content {
	dump?: Readable;
	failure?: Error;
	entries?: Entry[];
	tree?: Buffer;
}

async function createRestic({dump, failure, entries, tree}: Content = {}): Promise<Restic> {
	const packed =
		tree ??
		(await tar([
			{name: '0d/', type: 'directory'},
			{name: `/0d/3e/${uuid}`, content: 'first', uid: 1000},
		]));
	return {
		dump: async () => running(dump ?? Readable.from([Buffer.from('PGDMP...x')], {objectMode: false}), failure),
		dumpFolder: async () => running(Readable.from([packed], {objectMode: false})),
		async list({onEntry}) {
			for (const entry of entries ?? [
				{path: '0d', type: 'dir', size: 0},
				{path: `0d/3e/${uuid}`, type: 'file', size: 5},
			]) {
				onEntry(entry);
			}
		},
	} as Partial<Restic> as Restic;
}

async function untar(content: Buffer): Promise<Record<string, string>> {
	const found: Record<string, string> = {};
	const entries = Readable.from([gunzipSync(content)], {objectMode: false}).pipe(extract());
	for await (const entry of entries) {
		found[entry.header.name] = (await buffer(entry as unknown as Readable)).toString();
	}

	return found;
}

test('an archive has what its description says, in its order', async t => {
	const {name, point, contentBytes, stream} = await exportPoint({restic: await createRestic(), manifest: shop, only: []});
	t.is(name, 'files_and_database-shop-app-202611031234.tar.gz');
	t.is(point, 'p1');
	t.is(contentBytes, 14);
	const {'.metadata': metadata, ...rest} = await untar(await buffer(stream));
	t.deepEqual(Object.entries(rest), [
		['db/db.backup', 'PGDMP...x'],
		['tree/', ''],
		[`tree/0d/3e/${uuid}`, 'first'],
	]);
	t.deepEqual(JSON.parse(metadata ?? ''), {duration: '5', dumpSize: '9', modelVersion: 'shop:7', databaseSize: '1234', filesSize: '5'});
});

test('a point without files makes an archive without a tree', async t => {
	const {stream} = await exportPoint({restic: await createRestic(), manifest: shop, only: ['db/postgres:app']});
	t.deepEqual(Object.keys(await untar(await buffer(stream))), ['.metadata', 'db/db.backup']);
});

test('what would not fit is refused before anything is sent', async t => {
	const restic = await createRestic();
	const refused = async (point: Manifest, only: string[], message: RegExp) =>
		t.throwsAsync(exportPoint({restic, manifest: point, only}), {instanceOf: UsageError, message});
	await refused(shop, ['db/postgres:other'], /has no source "db\/postgres:other"; it has `db\/postgres:app`, `app\/volume:\/data`/);
	await refused(shop, ['app/volume:/data'], /one database and the files of one volume at most/);
	await refused({...shop, sources: [...shop.sources, source('x/postgres:two', 'postgres')]}, [], /one database/);
	await refused({...shop, sources: [...shop.sources, source('sqlite:/x', 'sqlite')]}, [], /one database/);
	await refused(
		manifest(source('postgres:app', 'postgres', {format: 'plain'})),
		[],
		/custom format, and `postgres:app` of point `p1` is "plain"/,
	);
	const entries = ['a.txt', `0d/3e/${uuid}x`, '\u001b[2J', 'more'].map(path => ({path, type: 'file', size: 1}));
	const others = exportPoint({
		restic: await createRestic({entries: [...entries, {path: `0d/3e/${uuid}`, type: 'symlink', size: 0}]}),
		manifest: shop,
		only: [],
	});
	await t.throwsAsync(others, {instanceOf: UsageError, message: /has 5 others: "a\.txt", /});
});

const failures: Record<string, Content> = {
	'restic fails after it gave everything': {failure: new RepositoryError('failed', 'a pack is missing')},
	'the dump is shorter than the manifest says': {dump: Readable.from([Buffer.from('PGDMP')], {objectMode: false})},
	'the dump is longer': {dump: Readable.from([Buffer.from('PGDMP......')], {objectMode: false})},
	'the files break off': {tree: Buffer.alloc(700, 1)},
};

for (const [what, content] of Object.entries(failures)) {
	test(`the stream breaks when ${what}`, async t => {
		const {stream} = await exportPoint({restic: await createRestic(content), manifest: shop, only: []});
		await t.throwsAsync(buffer(stream));
	});
}

test('who reads no further ends the work', async t => {
	let killed = false;
	const endless = Readable.from(
		(async function* () {
			try {
				for (;;) {
					yield Buffer.alloc(100_000, Math.random().toString());
				}
			} finally {
				killed = true;
			}
		})(),
		{objectMode: false},
	);
	const big = {...source('db/postgres:app', 'postgres'), bytes: 1e12};
	const {stream} = await exportPoint({restic: await createRestic({dump: endless}), manifest: manifest(big), only: []});
	for await (const _ of stream) {
		break;
	}

	stream.destroy();
	for (let turn = 0; turn < 1000 && !killed; turn++) {
		await new Promise(setImmediate);
	}

	t.true(killed);
});

test.serial('memory does not grow with the archive', async t => {
	const block = Buffer.alloc(1_000_000, 'dump');
	const dump = Readable.from(
		Array.from({length: 300}, () => block),
		{objectMode: false},
	);
	const big = {...source('db/postgres:app', 'postgres'), bytes: 300e6};
	const {stream} = await exportPoint({restic: await createRestic({dump}), manifest: manifest(big), only: []});
	let most = 0;
	for await (const _ of stream) {
		most = Math.max(most, process.memoryUsage().arrayBuffers);
	}

	t.true(most < 100_000_000, String(most));
});
