import test from 'ava';
import {filesAhead, isBeside, wayWarnings, withWays} from '../../../../../agent/restore/plan/room.ts';
import type {RoomContext} from '../../../../../agent/sources/kind.ts';
import type {RestoringSource} from '../../../../../agent/sources/restoring.ts';
import type {Place} from '../../../../../base/command.ts';
import {here} from '../../../../../base/here.ts';
import type {Container} from '../../../../../docker/container.ts';

const container = {id: 'c', name: 'app', mounts: []} as unknown as Container;

const volume = (
	path: string,
	bytes: number,
	more: Partial<RestoringSource> & {exclude?: string[]; subpath?: string} = {},
): RestoringSource =>
	({
		name: `volume:${path}`,
		kind: 'volume',
		target: 'shop/app',
		container,
		mount: {type: 'volume', volume: path.slice(1), hostPath: `/v${path}`, path, readWrite: true},
		exclude: [],
		stored: {snapshot: 's', path: `/shop/app${path}`, bytes, details: {}},
		...more,
	}) as unknown as RestoringSource;

/** One file system with 10 KiB. @param why what the look at a volume finds */
const context = (why: Record<string, string> = {}): Omit<RoomContext, 'all'> => {
	const worker: Place = async ({argv: [program, ...rest], ...command}) => {
		const said: Record<string, string> = {
			node: JSON.stringify({why: Object.entries(why).find(([path]) => rest.some(word => word.endsWith(path)))?.[1]}),
			stat: rest
				.slice(2)
				.map(() => '7')
				.join('\n'),
			df: ['Filesystem', ...rest.slice(3).map(() => '/dev/x 20 10 10 50% /')].join('\n'),
		};
		return here({...command, argv: ['echo', said[program] ?? '']});
	};
	return {worker, restic: {} as RoomContext['restic'], signal: new AbortController().signal};
};

const ways = async (sources: RestoringSource[], {margin = 1024, why = {}}: {margin?: number; why?: Record<string, string>} = {}) =>
	(await withWays(sources, context(why), margin)).map(({inPlace}) => inPlace ?? 'beside');

test('files are loaded beside the live ones where both fit, and something is left', async t => {
	t.deepEqual(await ways([volume('/a', 4096), volume('/b', 5120)]), ['beside', 'beside']);
	const tight = await ways([volume('/a', 4096), volume('/b', 5121)]);
	t.regex(tight[0] ?? '', /there is no room for both: .* and .* more are needed, and its file system has .* left/);
	t.is(tight[1], tight[0]);
	t.deepEqual(await ways([volume('/a', 9000), volume('/b', 9000, {inPlace: 'known'})]), [
		(await ways([volume('/a', 9000), volume('/b', 9000)]))[0] ?? '',
		'known',
	]);
});

test('what a look at them forbids, or another source of the restore, is said', async t => {
	t.deepEqual(await ways([volume('/a', 1), volume('/b', 1)], {why: {'/b': 'it is a single file'}}), ['beside', 'it is a single file']);
	t.deepEqual(await ways([volume('/a', 1, {exclude: ['[ab]']})]), ['`[ab]`, which is excluded, may be anywhere in it']);
	t.deepEqual(await ways([volume('/a', 1, {exclude: [String.raw`\[ab]`]})]), ['beside']);
	const [data, part] = [volume('/a', 1), volume('/part', 1)];
	Object.assign(part.mount ?? {}, {volume: 'a', hostPath: '/v/a', subpath: 'part'});
	t.deepEqual(await ways([data, part]), [
		'`volume:/part`, which is restored with it, is of the same files',
		'`volume:/a`, which is restored with it, is of the same files',
	]);
});

test('people hear of what is written in place; what is nobody can write over is kept in any case', t => {
	const [beside, inPlace, single] = [volume('/a', 1), volume('/b', 1, {inPlace: 'so'}), volume('/c', 1, {paths: ['/x'], inPlace: 'so'})];
	const other = {...inPlace, target: 'shop/other'};
	t.deepEqual(wayWarnings([other], 'shop'), ['`shop/other volume:/b` is written in place, and its application waits for that, because so']);
	t.deepEqual(wayWarnings([beside, inPlace], inPlace.target), [
		'`volume:/b` is written in place, and its application waits for that, because so',
	]);
	t.deepEqual([beside, inPlace, single].map(isBeside), [true, false, true]);
	t.false(isBeside({...beside, kind: 'tar'}));
});

const bound = (hostPath: string, path: string, more: {isGone?: boolean; files?: number} = {}) => {
	const source = volume(path, 1);
	Object.assign(source.mount ?? {}, {type: 'bind', volume: undefined, hostPath, isGone: more.isGone});
	Object.assign(source.stored.details, {files: more.files});
	return source;
};

test('folders that a new host lacks are named, with the command that makes them', async t => {
	const hire = async () => {
		throw new Error(
			'(HTTP code 400) bad parameter - invalid mount config for type "bind": bind source path does not exist: /srv/app\'s data',
		);
	};
	const sources = [bound("/srv/app's data", '/a'), volume('/b', 1), bound('/srv/media', '/c')];
	const from = {restic: () => ({})} as unknown as Parameters<typeof filesAhead>[1];
	const {problems} = await filesAhead({hire}, from, {sources, marginBytes: 1});
	t.is(problems.length, 1);
	t.true(problems[0]?.includes(String.raw`mkdir -p '/srv/app'\''s data' '/srv/media'`), problems[0]);
});

test('a single file that a new host lacks is made as a file: its application would find a folder; what is there is not named', async t => {
	const hire = async () => {
		throw new Error('bind source path does not exist: /srv/conf/app.yml');
	};
	const types: Record<string, string> = {'/shop/app/conf.yml': 'file', '/shop/app/one': 'dir'};
	const restic = () => ({
		async look({path, onNode}: {path: string; onNode: (node: {path: string; type?: string}) => void}) {
			onNode({path, type: types[path] ?? 'none'});
			onNode({path: `${path}/in it`, type: 'file'});
		},
	});
	const sources = [
		bound('/srv/conf/app.yml', '/conf.yml', {files: 1, isGone: true}),
		bound('/srv/one', '/one', {files: 1, isGone: true}),
		bound('/srv/there', '/there', {files: 3}),
	];
	const from = {restic} as unknown as Parameters<typeof filesAhead>[1];
	const {problems} = await filesAhead({hire}, from, {sources, marginBytes: 1});
	t.regex(problems.join(), /make them before, `mkdir -p '\/srv\/conf' '\/srv\/one' && touch '\/srv\/conf\/app\.yml'` on the host$/);
});
