/** Holdfast's own folders in a volume: what is above them must be in the point, and nothing takes them out of the way of a file. */
import test from 'ava';
import type {Restic} from '../../../../../agent/restic/restic.ts';
import {whyInPlace} from '../../../../../agent/sources/volume/entries.ts';
import {volumeRestoring} from '../../../../../agent/sources/volume/restore.ts';
import {sparedProblems} from '../../../../../agent/sources/volume/spared.ts';
import {makeWay} from '../../../../../agent/sources/volume/way.ts';
import type {Place} from '../../../../../base/command.ts';
import {here} from '../../../../../base/here.ts';

type Source = Parameters<typeof sparedProblems>[0];

const source = (spared: readonly string[], more: Partial<Source> = {}): Source =>
	({
		name: 'volume:/app',
		target: 'shop/app',
		container: {id: 'c', name: 'app', mounts: []},
		mount: {type: 'bind', hostPath: '/srv/app', path: '/app', readWrite: true},
		exclude: [],
		spared,
		stored: {snapshot: 's', path: '/shop/app/volume/app'},
		...more,
	}) as unknown as Source;

/** By what the point has: folders end with a slash, links with an at. */
const finding = (...has: string[]) => ({
	find: async (_: string, path: string) => {
		const below = path.replace('/shop/app/volume/app', '');
		const type = has.includes(`${below}/`) ? 'dir' : has.includes(`${below}@`) ? 'symlink' : has.includes(below) ? 'file' : undefined;
		return type && {bytes: 0, type};
	},
});

test('a point that lacks a folder above them, or has a file there, is not restored over them', async t => {
	const found = async (spared: string, ...has: string[]) => (await sparedProblems(source([spared]), finding(...has))).join();
	t.is(await found('/backups'), '', 'nothing is above it but the root');
	t.is(await found('/a/b/backups', '/a/', '/a/b/'), '');
	t.regex(
		await found('/a/b/backups', '/a/'),
		/`\/app\/a\/b\/backups` is in `\/app\/a\/b`, which is no folder in this point.*--only volume:\/app\/PATH/,
	);
	t.regex(await found('/a/b/backups'), /is in `\/app\/a`, which/);
	t.regex(await found('/a/backups', '/a'), /is in `\/app\/a`, which/);
	t.is(await found('/a/b/backups', '/a@'), '', 'it is elsewhere');
	t.deepEqual(await sparedProblems(source(['/a/b'], {paths: ['/c']}), finding()), [], 'of single files nothing else is touched');
});

test('a volume with them is written in place: a rename would take them along', async t => {
	const why = await whyInPlace(source(['/a/backups']), {all: []} as never);
	t.is(why, "Holdfast's own folder is in it, at /app/a/backups, and must not be moved");
});

test('neither they nor what holds them is taken out of the way of a file', async t => {
	const moved: string[] = [];
	const worker: Place = async ({argv, ...command}) => {
		if (argv[0] !== 'find') {
			moved.push(argv.join(' '));
		}

		return here({...command, argv: argv[0] === 'find' ? ['printf', 'backups\\0a\\0a/hf\\0other\\0'] : ['sh', '-c', 'cat >&2; echo {}']});
	};
	const restic = {
		list: async ({onEntry}: Parameters<Restic['list']>[0]) => {
			for (const path of ['backups', 'a', 'other']) {
				onEntry({path, type: 'file'} as never);
			}
		},
	} as unknown as Restic;
	const way = {restic, worker, from: {snapshot: 's', path: '/p'}, to: '/to', keepAs: 'k', signal: new AbortController().signal};
	t.deepEqual(await makeWay({...way, spared: ['/backups']}), ['a', 'other']);
	t.is(moved.length, 1);
	await t.throwsAsync(makeWay({...way, spared: ['/a/hf']}), {
		message: /\/to\/a is in the way of a file, and has a folder of Holdfast's own in it/,
	});
	t.is(moved.length, 1, 'nothing is touched');
});

test('a restore that was planned all the same touches nothing', async t => {
	const context = {target: 'shop/app', restic: finding(), remember() {}} as unknown as Parameters<typeof volumeRestoring>[1];
	const asked = source(['/a/backups']) as Parameters<typeof volumeRestoring>[0];
	await t.throwsAsync(volumeRestoring(asked, context, {index: 0, all: [asked]}).load(), {
		message: /^`volume:\/app`: Holdfast's own `\/app\/a\/backups` is in/,
	});
});
