import {Readable} from 'node:stream';
import {buffer} from 'node:stream/consumers';
import {setImmediate as turn} from 'node:timers/promises';
import {gzipSync} from 'node:zlib';
import test from 'ava';
import {extract} from 'tar-stream';
import {type UnpackOptions, unpack} from '../../../../agent/archive/unpack.ts';
import {UsageError} from '../../../../base/errors.ts';
import {archive, dump, type Entry, good, metadata, tar, uuid} from '../../../support/doubles/portable.ts';

async function take(content: Buffer | Readable, options: Partial<UnpackOptions> = {}) {
	const got: {dump?: Buffer; files: Record<string, string>; headers: unknown[]} = {files: {}, headers: []};
	const body = Buffer.isBuffer(content) ? Readable.from(chunks(content), {objectMode: false}) : content;
	const unpacked = await unpack(body, {
		limitBytes: 10_000_000,
		check() {},
		async dump(stream) {
			got.dump = await buffer(stream);
		},
		async files(tarred) {
			const entries = tarred.pipe(extract());
			for await (const entry of entries) {
				const {name, type, mode, uid, linkname} = entry.header;
				got.headers.push({type, mode, uid, linkname});
				got.files[name] = (await buffer(entry as unknown as Readable)).toString();
			}
		},
		onProgress() {},
		...options,
	});
	return {...unpacked, ...got, files: unpacked.files, content: got.files};
}

/** As they come over a network: of odd lengths. */
function* chunks(content: Buffer) {
	for (let at = 0; at < content.length; at += 1999) {
		yield content.subarray(at, at + 1999);
	}
}

const changed = (change: Record<string, Entry | undefined>, added: readonly Entry[] = []): Entry[] => [
	...good.flatMap(entry => (entry.name in change ? (change[entry.name] ?? []) : entry)),
	...added,
];

test('an archive comes apart: its dump as it is, its files by themselves', async t => {
	const result = await take(await archive());
	t.is(result.kind, 'archive');
	t.deepEqual(result.metadata, metadata);
	t.deepEqual(result.dump, dump());
	t.is(result.dumpBytes, dump().length);
	t.deepEqual(result.files, {count: 1, bytes: 5});
	t.deepEqual(result.content, {[`0d/3e/${uuid}`]: 'first'});
	t.is(result.header.database, 'app');
});

test('as tar makes it of a folder, in whichever order', async t => {
	const entries = ['./', './tree/', './tree/0d/', './tree/0d/3e/'].map((name): Entry => ({name, type: 'directory'}));
	const files = good
		.filter(({type}) => type !== 'directory')
		.map((entry): Entry => ({...entry, name: `./${entry.name}`, uid: 1000, mode: 0o4755}));
	const result = await take(await archive([...entries, ...files.toReversed()]));
	t.deepEqual(result.content, {[`0d/3e/${uuid}`]: 'first'});
	t.deepEqual(result.headers, [{type: 'file', mode: 0o644, uid: 0, linkname: null}], 'nothing of its modes and owners is handed on');
	t.deepEqual(result.metadata, metadata);
});

test('an archive without files is told from one without a tree', async t => {
	t.deepEqual((await take(await archive(good.filter(({name}) => !name.includes(uuid))))).files, {count: 0, bytes: 0});
	t.is((await take(await archive(good.filter(({name}) => !name.startsWith('tree'))))).files, undefined);
});

test('a bare dump, compressed or not, is taken as it is', async t => {
	for (const content of [dump({bytes: 50_000}), gzipSync(dump({bytes: 50_000}))]) {
		const result = await take(content);
		t.is(result.kind, 'dump');
		t.deepEqual(result.dump, dump({bytes: 50_000}));
		t.is(result.dumpBytes, dump({bytes: 50_000}).length);
		t.is(result.files, undefined);
	}
});

const file = (name: string): Entry => ({name, content: 'x'});

const refusals: Record<string, [Entry[], RegExp]> = {
	'a way out': [changed({}, [file('tree/../../etc/passwd')]), /"tree\/\.\.\/\.\.\/etc\/passwd" \(file\), which does not belong/],
	'a way out of its beginning': [changed({}, [file('../x')]), /does not belong/],
	'an absolute path': [changed({}, [file('/etc/passwd')]), /does not belong/],
	'an absolute path in disguise': [changed({}, [file(`.//tree/0d/3e/${uuid}`)]), /does not belong/],
	'a name that is none of the tree': [changed({}, [file('tree/0d/3e/readme.txt')]), /does not belong/],
	'a file too deep': [changed({}, [file(`tree/0d/3e/ff/${uuid}`)]), /does not belong/],
	'a name with a line break behind it': [changed({}, [file(`tree/0d/3e/${uuid}\n`)]), /does not belong/],
	'another dump': [changed({}, [file('db/other.backup')]), /does not belong/],
	'a folder of another name': [changed({}, [{name: 'etc/', type: 'directory'}]), /does not belong/],
	'a symbolic link': [changed({}, [{name: `tree/0d/3e/${uuid}`, type: 'symlink', linkname: '/etc/passwd'}]), /\(symlink\)/],
	'a link instead of the dump': [
		changed({'db/db.backup': {name: 'db/db.backup', type: 'symlink', linkname: '/etc/passwd'}}),
		/\(symlink\)/,
	],
	'a hard link': [changed({}, [{name: `tree/0d/3e/${uuid}`, type: 'link', linkname: '/etc/passwd'}]), /\(link\)/],
	'a device': [changed({}, [{name: `tree/0d/3e/${uuid}`, type: 'character-device'}]), /\(character-device\)/],
	'a pipe': [changed({}, [{name: `tree/0d/3e/${uuid}`, type: 'fifo'}]), /\(fifo\)/],
	'two dumps': [changed({}, [{name: 'db/db.backup', content: dump()}]), /`db\/db\.backup` twice/],
	'two descriptions': [changed({}, [{name: './.metadata', content: JSON.stringify(metadata)}]), /`\.metadata` twice/],
	'no dump': [changed({'db/db.backup': undefined}), /has no `db\/db\.backup`/],
	'no description': [changed({'.metadata': undefined}), /has no `\.metadata`/],
	'a description that is no JSON': [changed({'.metadata': {name: '.metadata', content: '{'}}), /must be JSON with duration, dumpSize/],
	'a description with a number': [
		changed({'.metadata': {name: '.metadata', content: JSON.stringify({...metadata, dumpSize: 3})}}),
		/all of them texts/,
	],
	'a description without end': [
		changed({'.metadata': {name: '.metadata', content: Buffer.alloc(70_000, ' ')}}),
		/65536 bytes at most, and has 70000/,
	],
	'a dump in plain format': [
		changed({'db/db.backup': {name: 'db/db.backup', content: '--\n-- PostgreSQL database dump'}}),
		/`db\/db\.backup`: it is not a dump in custom format, which begins with PGDMP; this begins with "--/,
	],
	'a dump that is a tar': [changed({'db/db.backup': {name: 'db/db.backup', content: dump({format: 3})}}), /not one in custom format/],
	'an empty dump': [changed({'db/db.backup': {name: 'db/db.backup', content: ''}}), /it is empty/],
};

for (const [what, [entries, message]] of Object.entries(refusals)) {
	test(`refused: ${what}`, async t => {
		const error = await t.throwsAsync(take(await archive(entries)), {instanceOf: UsageError});
		t.regex([error?.message, (error?.cause as Error)?.message].join(), message);
	});
}

test('refused: what is neither', async t => {
	for (const content of [
		Buffer.from('PK\u0003\u0004'),
		Buffer.from('-- plain SQL'),
		Buffer.alloc(0),
		await tar(good),
		gzipSync(Buffer.from('text')),
	]) {
		await t.throwsAsync(take(content), {instanceOf: UsageError});
	}
});

test('refused: an archive that breaks off, at whichever byte', async t => {
	const whole = await archive();
	for (const share of [0.1, 0.5, 0.9, 0.999]) {
		await t.throwsAsync(take(whole.subarray(0, Math.floor(whole.length * share))), {instanceOf: UsageError}, String(share));
	}

	await t.throwsAsync(take(whole.subarray(0, -1)), {message: /cannot be read to its end/});
	await t.throwsAsync(take(gzipSync((await tar(good)).subarray(0, 70_000))), {message: /cannot be read to its end/});
});

test('refused: a connection that breaks', async t => {
	const whole = await archive();
	const breaking = Readable.from(
		(async function* () {
			yield whole.subarray(0, whole.length - 40);
			await turn();
			throw new Error('reset');
		})(),
		{objectMode: false},
	);
	await t.throwsAsync(take(breaking), {message: /reset/});
});

test('refused: a small file that becomes a large one, before it is large', async t => {
	let most = 0;
	const onProgress = (bytes: number) => {
		most = bytes;
	};
	const bomb = await archive(changed({'db/db.backup': {name: 'db/db.backup', content: dump({bytes: 50_000_000})}}));
	t.true(bomb.length < 500_000);
	await t.throwsAsync(take(bomb, {onProgress}), {instanceOf: UsageError, message: /more than may be imported: 10000000 bytes/});
	t.true(most < 11_000_000);
	await t.throwsAsync(take(gzipSync(dump({bytes: 50_000_000}))), {message: /more than may be imported/});
});

test('refused: files without end and without content', async t => {
	const names = Array.from({length: 3000}, (_, n) => file(`tree/0d/3e/0d3e301f-1c2b-4d5e-8f90-${String(n).padStart(12, '0')}`));
	await t.throwsAsync(take(await archive([...good, ...names])), {message: /more than may be imported/});
});

test('refused before it is taken: a dump that is of no use', async t => {
	const check = () => {
		throw new UsageError('too new');
	};
	const unexpected = async () => t.fail();
	for (const content of [await archive(), dump()]) {
		await t.throwsAsync(take(content, {check, dump: unexpected}), {message: 'too new'});
	}
});

test('the reason that the files were refused for is the one that is told', async t => {
	const refusing = take(await archive([...good, ...good.slice(-1)]), {
		async files(tarred) {
			for await (const chunk of tarred) {
				if (chunk.length > 1) {
					throw new UsageError('twice');
				}
			}
		},
	});
	await t.throwsAsync(refusing, {message: /twice/});
});

test.serial('memory does not grow with the archive', async t => {
	const block = Buffer.alloc(1_000_000, 'dump');
	const content = (async function* () {
		yield dump({bytes: 0});
		for (let n = 0; n < 300; n++) {
			yield block;
		}
	})();
	let most = 0;
	await take(Readable.from(content, {objectMode: false}), {
		limitBytes: 1e9,
		async dump(stream) {
			for await (const _ of stream) {
				most = Math.max(most, process.memoryUsage().arrayBuffers);
			}
		},
	});
	t.true(most < 100_000_000, String(most));
});
