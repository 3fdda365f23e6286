/**
 * Whatever changes a volume, and whenever: a backup has its files as they were in its moment, although it reads little and trusts the backup before.
 * The application maps files into memory, where a change may show no new time. Some runs die before they publish. Lane: waits.
 */
import {spawn} from 'node:child_process';
import {createHash} from 'node:crypto';
import {once} from 'node:events';
import {mkdir, readdir, readFile, rename, rm, utimes, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import fc from 'fast-check';
import type {PreviousSnapshot, SourceContext} from '../../../agent/sources/source.ts';
import {volumeSource} from '../../../agent/sources/volume/backup.ts';
import {password, withScratch} from '../../support/doubles/scratch-repository.ts';
import {ensureImage} from '../../support/images.ts';
import {rewrap} from '../../support/stack/cheap-key.ts';

/** Keeps what it has mapped open, and changes it when it is told. */
const mapper = `
import mmap, sys
pages = {}
for line in sys.stdin:
    name = line.strip()
    if name not in pages:
        with open('/data/' + name, 'r+b') as file:
            pages[name] = mmap.mmap(file.fileno(), 8)
    pages[name][0:8] = (int.from_bytes(pages[name][0:8], 'big') + 1).to_bytes(8, 'big')
    print('done', flush=True)
`;

const names = ['a', 'b', 'c', 'deep/d', 'deep/e', 'deep/f'];

/** What is done to a file, and what before a phase of a run. */
const change = fc.record({
	how: fc.constantFrom('map', 'map', 'map', 'write', 'date back', 'replace', 'move a folder in'),
	name: fc.constantFrom(...names),
});
const changes = fc.array(change, {maxLength: 2});
const phases = fc.record({betweenPasses: changes, armed: changes, resumed: changes, stored: changes});
const still = {betweenPasses: [], armed: [], resumed: [], stored: []};
const quiet = fc.constant(still);
const backup = fc.record({
	before: changes,
	during: fc.oneof(quiet, phases),
	/** Longer than a clock may be behind. */
	waits: fc.constantFrom(true, true, false),
	dies: fc.constantFrom(false, false, false, true),
	forgets: fc.constantFrom(false, false, false, true),
	/** The repository takes at once what the moment adds. */
	isFast: fc.boolean(),
});

const told = {during: still, waits: true, dies: false, forgets: false, isFast: true};

/** Hardly ever drawn: files alone change, and nothing is doubtful. */
const inPlace = [
	{...told, before: []},
	{...told, before: [{how: 'write', name: 'a'} as const]},
	{...told, before: [{how: 'map', name: 'deep/d'} as const, {how: 'date back', name: 'b'} as const]},
	{...told, before: [{how: 'map', name: 'deep/d'} as const]},
];

const hashOf = (content: Buffer | string): string => createHash('sha256').update(content).digest('hex');

const contentOf = async (folder: string): Promise<Record<string, string>> =>
	Object.fromEntries(
		await Promise.all(
			(await readdir(folder, {recursive: true, withFileTypes: true}))
				.filter(entry => entry.isFile())
				.map(async ({parentPath, name}) => {
					const path = join(parentPath, name);
					return [path.slice(folder.length), hashOf(await readFile(path))] as const;
				}),
		),
	);

test('files are those of the moment, by whatever they were changed, after whatever backup', async t => {
	t.timeout(20 * 60_000);
	const image = await ensureImage('holdfast-test/app:latest');
	const ways = new Map<string, number>();
	await fc.assert(
		fc.asyncProperty(fc.array(backup, {minLength: 3, maxLength: 5}), async runs =>
			withScratch(async ({folder, place, restic, repository}) => {
				for (const key of await readdir(join(repository.location, 'keys'))) {
					const file = join(repository.location, 'keys', key);
					const cheap = await rewrap(await readFile(file, 'utf8'), password);
					await rm(file);
					await writeFile(join(repository.location, 'keys', hashOf(cheap)), cheap);
				}

				const target = `${folder.slice(1)}/app`;
				const data = `/${target}/volume/data`;
				await mkdir(join(data, 'deep'), {recursive: true});
				for (const name of names) {
					await writeFile(join(data, name), Buffer.alloc(64));
				}

				// More than what is read whole, however little of it changed
				await writeFile(join(data, 'large'), Buffer.alloc(17 * 1024 ** 2));

				const application = spawn('docker', [
					'run',
					'--rm',
					'--interactive',
					'--label=holdfast-test',
					`--volume=${data}:/data`,
					image,
					'python3',
					'-c',
					mapper,
				]);
				const answers = createInterface({input: application.stdout})[Symbol.asyncIterator]();
				let made = 0;
				const apply = async (all: ReadonlyArray<{how: string; name: string}>) => {
					for (const {how, name} of all) {
						const path = join(data, name);
						if (how === 'map') {
							application.stdin.write(`${name}\n`);
							t.is((await answers.next()).value, 'done');
						} else if (how === 'write') {
							await writeFile(path, Buffer.from(String(++made).padStart(64)), {flag: 'r+'});
						} else if (how === 'date back') {
							await writeFile(path, Buffer.from(String(++made).padStart(64)), {flag: 'r+'});
							await utimes(path, 1_000_000, 1_000_000);
						} else if (how === 'replace') {
							await writeFile(join(folder, 'new'), `new ${++made}`.padEnd(64));
							await rename(join(folder, 'new'), join(data, `${name}-${made}`));
						} else {
							await mkdir(join(folder, 'old'));
							await writeFile(join(folder, 'old/file'), String(++made));
							await rename(join(folder, 'old'), join(data, `folder-${made}`));
						}
					}
				};

				let previous: PreviousSnapshot | undefined;
				try {
					for (const [
						index,
						{
							before,
							during: {betweenPasses, armed, resumed, stored},
							waits,
							dies,
							forgets,
							isFast,
						},
					] of runs.entries()) {
						await apply(before);
						await delay(waits ? 2100 : 0);
						const runStartedAt = new Date();
						let newest: Date | null | undefined;
						const did: string[] = [];
						const source = volumeSource(
							{
								kind: 'volume',
								name: 'volume:/data',
								container: {createdAt: 0},
								mount: {path: '/data', volume: 'data'},
								exclude: [],
							} as never,
							{
								run: `r${index}`,
								target,
								agent: 'agent',
								host: 'host',
								worker: place,
								restic: {
									...restic,
									async backupFiles(options) {
										did.push(...(options.hold ? [] : [options.only ? 'ahead' : 'pass']));
										return restic.backupFiles(options);
									},
									async rewriteWithout(from, patterns) {
										did.push(...(patterns.length > 0 ? ['rewrite'] : []));
										return restic.rewriteWithout(from, patterns);
									},
								},
								time: () => new Date(),
								previous: () => previous,
								pace: {
									learn() {},
									forget() {},
									secondsFor() {
										did.push(...(isFast ? ['moment'] : []));
										return isFast ? 0 : undefined;
									},
								},
								rememberNewest(_source, _snapshot, value) {
									newest = value;
								},
								signal: new AbortController().signal,
								tell() {},
							} as Partial<SourceContext> as SourceContext,
							{index: 0, all: []},
						);
						await source.prepare();
						await source.firstPass();
						await apply(betweenPasses);
						await source.arm();
						await apply(armed);
						await source.pin(new AbortController().signal);
						const live = await contentOf(data);
						await apply(resumed);
						const {snapshot} = await source.store();
						await apply(stored);
						await source.close();
						ways.set(did.join(' '), (ways.get(did.join(' ')) ?? 0) + 1);
						const into = join(folder, `restored-${index}`);
						await mkdir(into);
						await restic.restore({snapshot, subfolder: data, into, delete: false});
						t.deepEqual(await contentOf(into), live, `run ${index} of ${JSON.stringify(runs)}: ${did}`);
						if (!dies) {
							previous = {snapshot, bytes: 0, runStartedAt, runEndedAt: new Date(), isLatest: true, newest: forgets ? undefined : newest};
						} else if (previous !== undefined) {
							// What it remembered took the place of what was known of the point before
							previous = {...previous, newest: undefined};
						}
					}
				} finally {
					application.stdin.end();
					await once(application, 'exit');
				}
			}),
		),
		{numRuns: 12, examples: [[inPlace], [inPlace.map(run => ({...run, isFast: false}))]]},
	);
	t.log(Object.fromEntries(ways));
	for (const way of ['ahead', 'moment', '', 'pass rewrite']) {
		t.true(ways.has(way), `${way} of ${[...ways.keys()].join(', ')}`);
	}
});
