/** A list of snapshots is read as a stream, and no more of it is kept than is needed. */
import {Readable, Writable} from 'node:stream';
import {setFlagsFromString} from 'node:v8';
import {runInNewContext} from 'node:vm';
import test from 'ava';
import fc from 'fast-check';
import {createRestic} from '../../../../agent/restic/create.ts';
import {eachElement} from '../../../../agent/restic/elements.ts';
import type {Place} from '../../../../base/command.ts';

const collect = async (chunks: Iterable<string | Uint8Array>) => {
	const found: unknown[] = [];
	const isWhole = await eachElement(Readable.from(chunks), element => found.push(element));
	return {found, isWhole};
};

test('whatever the objects hold and wherever the chunks end', async t => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(fc.dictionary(fc.string(), fc.jsonValue()), {maxLength: 5}),
			fc.integer({min: 1, max: 40}),
			fc.constantFrom(undefined, 2),
			async (objects, size, indent) => {
				const bytes = Buffer.from(`${JSON.stringify(objects, null, indent)}\n`);
				const chunks = Array.from({length: Math.ceil(bytes.length / size)}, (_, index) => bytes.subarray(index * size, (index + 1) * size));
				const {found, isWhole} = await collect(chunks);
				t.true(isWhole);
				t.deepEqual(JSON.stringify(found), JSON.stringify(objects));
			},
		),
		{numRuns: 60},
	);
});

test('what breaks off is not whole', async t => {
	t.deepEqual(await collect(['null\n']), {found: [], isWhole: true});
	for (const text of ['', '[', '[{"a":1}', '[{"a":1},{"b', '{"message_type":"exit_error"}']) {
		t.false((await collect([text])).isWhole, text);
	}
});

/** As restic prints them: 20,000 runs of three sources. */
function* printed(count: number): Generator<string> {
	const id = (number: number) => number.toString(16).padStart(64, 'f');
	for (let index = 0; index < count; index++) {
		const snapshot = {
			time: new Date(1_700_000_000_000 + index * 1000).toISOString(),
			parent: id(index - 1),
			tree: id(index + count),
			paths: [`/shop${index % 20}/app/volume/data`],
			hostname: 'docker-host',
			username: 'root',
			uid: 0,
			gid: 0,
			excludes: ['/.holdfast-*', '**/.cache', '**/node_modules', '**/*.tmp', '/shop/app/volume/data/logs/**', '**/thumbnails/**'],
			tags: ['holdfast', `run:20260101t000000-${Math.floor(index / 3)}`, `target:shop${index % 20}/app`, 'source:volume:/data'],
			program_version: 'restic 0.19.1',
			summary: {files_new: 1, files_changed: 2, files_unmodified: 3, total_files_processed: 6, total_bytes_processed: 7, data_added: 8},
			id: id(index),
			short_id: id(index).slice(0, 8),
		};
		yield `${index === 0 ? '[' : ','}${JSON.stringify(snapshot)}`;
	}

	yield ']\n';
}

test('60,000 snapshots take some tens of MiB, and a fraction of that while they are read', async t => {
	setFlagsFromString('--expose-gc');
	const collectGarbage = runInNewContext('gc') as () => void;
	const heap = () => process.memoryUsage().heapUsed + process.memoryUsage().external;
	collectGarbage();
	const before = heap();
	let most = 0;
	const place: Place = async () => ({
		stdin: new Writable(),
		stdout: Readable.from(
			(function* () {
				let count = 0;
				for (const text of printed(60_000)) {
					if (count++ % 5000 === 0) {
						collectGarbage();
						most = Math.max(most, heap());
					}

					yield text;
				}
			})(),
		),
		done: Promise.resolve({exitCode: 0, stderr: ''}),
		kill: async () => {},
	});
	const restic = createRestic(place, {name: 'primary', location: '/repository', env: {}, options: {}, cacheDirectory: '/cache'} as never);
	const snapshots = await restic.snapshots();
	t.is(snapshots.length, 60_000);
	collectGarbage();
	const [kept, peak] = [heap() - before, most - before].map(bytes => Math.round(bytes / 1024 ** 2)) as [number, number];
	t.log(`${kept} MiB kept, ${peak} MiB at most`);
	t.true(kept < 60, `${kept} MiB are kept`);
	t.true(peak < 70, `${peak} MiB at most`);
	t.is(snapshots.at(-1)?.bytes, 7);
});
