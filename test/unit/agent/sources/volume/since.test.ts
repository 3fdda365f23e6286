/** What changed since the backup before is named where it is little, and never so that something of it is missed. */
import {mkdir, mkdtemp, rename, rm, utimes, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {firstLook, holdsAll} from '../../../../../agent/sources/volume/since.ts';
import {here} from '../../../../../base/here.ts';

const context = {worker: here, signal: new AbortController().signal};

/** Nothing that a test makes is as new as this, but what is given such a time. */
const from = new Date(Date.now() + 3_600_000);
const changed = new Date(from.getTime() + 10_000);

async function scene(t: ExecutionContext) {
	const folder = await mkdtemp(join(tmpdir(), 'hf-since-'));
	t.teardown(async () => rm(folder, {recursive: true}));
	await mkdir(join(folder, 'one/two'), {recursive: true});
	await mkdir(join(folder, 'other'));
	for (const name of ['top', 'one/a', 'one/two/b', 'one/two/c', 'other/d']) {
		await writeFile(join(folder, name), 'content');
	}

	return {
		folder,
		touch: async (...names: string[]) => Promise.all(names.map(async name => utimes(join(folder, name), changed, changed))),
		async since(options: {until?: Date; excludes?: boolean} = {}) {
			const {since: found} = await firstLook(context, folder, {from, until: undefined, excludes: false, ...options});
			return typeof found === 'string' ? found : {...found, paths: found.paths.map(path => path.slice(folder.length + 1)).sort()};
		},
	};
}

test('nothing, and little', async t => {
	const {since, touch} = await scene(t);
	t.is(await since(), 'nothing');
	await touch('one/a', 'one/two/b');
	t.like(await since(), {paths: ['one/a', 'one/two/b'], files: 2, bytes: 14, hasFolders: false, isDoubtful: false});
});

test('a folder that was filled or renamed is named, and nothing that is in it', async t => {
	const {since, touch} = await scene(t);
	await touch('one', 'one/two/b', 'other/d');
	t.like(await since(), {paths: ['one', 'other/d'], files: 2, hasFolders: true});
	await touch('');
	t.like(await since(), {paths: [''], files: 2});
});

test('where something is left out, folders are named: restic leaves out nothing that is named to it', async t => {
	const {since, touch} = await scene(t);
	await touch('one/two/b', 'one/two/c', 'other/d');
	t.like(await since({excludes: true}), {paths: ['one/two', 'other'], files: 3});
	await touch('top');
	t.like(await since({excludes: true}), {paths: [''], files: 4});
});

test('what may have changed after it was read is doubtful, up to the very time', async t => {
	const {since, touch} = await scene(t);
	await touch('one/a');
	t.like(await since({until: changed}), {isDoubtful: true});
	t.like(await since({until: new Date(changed.getTime() - 1)}), {isDoubtful: false});
});

test('many files, many bytes and names that nobody can write are much; so is what cannot be searched', async t => {
	const {folder, since, touch} = await scene(t);
	await writeFile(join(folder, 'large'), Buffer.alloc(33 * 1024 ** 2));
	await touch('large');
	t.is(await since(), 'much');
	await rm(join(folder, 'large'));
	await writeFile(Buffer.from(join(folder, 'odd-\xFF'), 'latin1'), '');
	await utimes(Buffer.from(join(folder, 'odd-\xFF'), 'latin1'), changed, changed);
	t.is(await since(), 'much');
	await rm(Buffer.from(join(folder, 'odd-\xFF'), 'latin1'));
	t.is(await since(), 'nothing');
	await writeFile(join(folder, 'one', '.a.holdfast-before-20261130t110602-xdfbjxz'), '');
	await touch('one/.a.holdfast-before-20261130t110602-xdfbjxz');
	t.is(await since(), 'much');
	await rm(join(folder, 'one', '.a.holdfast-before-20261130t110602-xdfbjxz'));
	for (let n = 0; n <= 1000; n++) {
		await writeFile(join(folder, 'other', String(n)), '');
		await touch(`other/${n}`);
	}

	t.is(await since(), 'much');
	await rename(join(folder, 'other'), `${folder}-gone`);
	await rm(`${folder}-gone`, {recursive: true});
	const {since: unknown} = await firstLook({...context, worker: having('find() { command find "$@"; return 1; }')}, folder, {
		from,
		until: undefined,
		excludes: false,
	});
	t.is(unknown, 'much');
});

/** A place where a program does something else. */
const having =
	(programs: string): typeof here =>
	async ({argv: [sh, option, script, ...rest], ...command}) =>
		here({...command, argv: [sh, option ?? '', `${programs}; ${script}`, ...rest]});

test("without a backup before, all may have changed; what is written before is written back; and whether times tell anything is the file system's", async t => {
	const {folder} = await scene(t);
	const before = Date.now();
	const look = async (programs: string) => firstLook({...context, worker: having(programs)}, folder, undefined);
	const {begun, ...first} = await look('sync() { sleep 0.05; }; stat() { echo tmpfs; }');
	t.deepEqual(first, {since: 'much', isTimeless: true});
	t.true(begun.getTime() >= before && begun.getTime() <= Date.now() - 50, 'written back, and begun before that');
	t.like(await look('stat() { echo ext2/ext3; }'), {isTimeless: false});
	await t.throwsAsync(look('sync() { echo "sync: no disk" >&2; return 1; }'), {message: /no disk/});
	await t.throwsAsync(look('stat() { echo "stat: no such place" >&2; return 1; }'), {message: /no such place/});
});

test('files that were moved there, and are old, are more than what changed', t => {
	t.true(holdsAll({files: 2}, {files: 12, unmodifiedFiles: 10}));
	t.false(holdsAll({files: 2}, {files: 12, unmodifiedFiles: 9}));
});
