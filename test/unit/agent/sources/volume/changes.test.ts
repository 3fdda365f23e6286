/** What changed since, however much it is. */
import {chmod, mkdir, utimes, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {changedBetween, gather, isBackdated} from '../../../../../agent/sources/volume/changes.ts';
import {here} from '../../../../../base/here.ts';
import {temporaryFolder} from '../../../../support/temporary-folder.ts';

const {signal} = new AbortController();

async function makeFolder(t: ExecutionContext): Promise<string> {
	const folder = temporaryFolder(t);
	return folder;
}

const gathered = (most: number, names: Iterable<string>) => {
	const found = gather(most);
	for (const name of names) {
		found.add(name);
	}

	return {names: [...found.names], isCoarse: found.isCoarse};
};

test('few files are named, and where they are many, the folders that they are in', t => {
	t.deepEqual(gathered(3, ['a/b/c', 'a/b/d', 'e']), {names: ['a/b/c', 'a/b/d', 'e'], isCoarse: false});
	t.deepEqual(gathered(3, ['a/b/c', 'a/b/d', 'e', 'a/b/f']), {names: ['a/b', 'e'], isCoarse: true});
	t.deepEqual(gathered(3, ['a/b/c', 'a/b/d', 'e', 'a/b/f', 'a/g/h']), {names: ['a/b', 'e', 'a/g'], isCoarse: true});
	t.deepEqual(gathered(2, ['a', 'b', 'c', 'd/e']), {names: [''], isCoarse: true});
});

test('a million changed files take no memory and little time', t => {
	const begun = performance.now();
	const before = process.memoryUsage().rss;
	const {names} = gathered(
		1000,
		(function* () {
			for (let index = 0; index < 1_000_000; index++) {
				yield `files/of the application/${index % 700}/with a name that is long enough to be felt/${index}.jpg`;
			}
		})(),
	);
	t.is(names.length, 700);
	const mebibytes = (process.memoryUsage().rss - before) / 1024 ** 2;
	t.log(`${Math.round(performance.now() - begun)} ms, ${Math.round(mebibytes)} MiB`);
	t.true(mebibytes < 100, `${mebibytes} MiB`);
});

test('what was given to another owner after that time is not doubted: restic sees it by itself', async t => {
	const folder = await makeFolder(t);
	await mkdir(join(folder, 'sub'));
	const old = new Date(Date.now() - 3_600_000);
	for (const name of ['sub/old', 'sub/then']) {
		await writeFile(join(folder, name), 'x');
		await utimes(join(folder, name), old, old);
	}

	await chmod(join(folder, 'sub/old'), 0o600);
	const long = (seconds: number) => new Date(Date.now() - seconds * 1000);
	t.deepEqual(await changedBetween({worker: here, signal}, folder, long(7200), long(600)), {patterns: [], isCoarse: false});
	const {patterns} = await changedBetween({worker: here, signal}, folder, long(7200), undefined);
	t.deepEqual([...patterns].sort(), [`${folder}/sub/old`, `${folder}/sub/then`]);
});

test('a folder full of changes is read whole', async t => {
	const folder = await makeFolder(t);
	await mkdir(join(folder, 'sub'));
	await Promise.all(Array.from({length: 1100}, async (_, index) => writeFile(join(folder, 'sub', `*${index}`), '')));
	await writeFile(join(folder, 'other'), '');
	const {patterns, isCoarse} = await changedBetween({worker: here, signal}, folder, new Date(Date.now() - 60_000), undefined);
	t.true(isCoarse);
	t.deepEqual([...patterns].sort(), [`${folder}/other`, `${folder}/sub`]);
	await Promise.all(Array.from({length: 1100}, async (_, index) => writeFile(join(folder, `${index}`), '')));
	t.deepEqual(await changedBetween({worker: here, signal}, folder, new Date(Date.now() - 60_000), undefined), {
		patterns: 'everything',
		isCoarse: true,
	});
});

test('a file that changed and was given its old time again is found, one that has its new time is not looked for', async t => {
	const folder = await makeFolder(t);
	const [plain, dated] = [join(folder, 'plain'), join(folder, 'dated')];
	await writeFile(plain, 'content');
	await writeFile(dated, 'content');
	await delay(20);
	// What a clock that is behind is allowed is after this.
	const from = new Date(Date.now() + 2000);
	const backdated = async () => isBackdated({worker: here, signal}, folder, from);
	t.false(await backdated());
	await delay(20);
	await writeFile(plain, 'changed');
	t.false(await backdated());
	await writeFile(dated, 'changed');
	await utimes(dated, 1_000_000_000, 1_000_000_000);
	t.true(await backdated());
	t.true(await isBackdated({worker: here, signal}, join(folder, 'gone'), from));
});
