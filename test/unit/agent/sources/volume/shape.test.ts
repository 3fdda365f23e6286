import test from 'ava';
import {isSingleFile} from '../../../../../agent/sources/single-file.ts';
import {shapeProblems} from '../../../../../agent/sources/volume/shape.ts';
import type {Place} from '../../../../../base/command.ts';
import {here} from '../../../../../base/here.ts';

type Source = Parameters<typeof shapeProblems>[0];
type Context = Parameters<typeof shapeProblems>[1];

const source = (files: number | undefined, paths?: string[]) =>
	({
		name: 'volume:/acme.json',
		kind: 'volume',
		target: 'shop/proxy',
		container: {id: 'c', name: 'shop-proxy-1', service: 'proxy', mounts: []},
		mount: {type: 'bind', hostPath: '/srv/acme.json', path: '/acme.json', readWrite: true},
		exclude: [],
		paths,
		stored: {snapshot: 's', path: '/shop/proxy/acme.json', bytes: 1, details: {files}},
	}) as unknown as Source;

function context({isFolder, type}: {isFolder: boolean; type: string}): Context & {asked: number} {
	const worker: Place = async command => here({...command, argv: [isFolder ? 'true' : 'false']});
	const all = {
		asked: 0,
		worker,
		restic: {
			async look({path, onNode}: {path: string; onNode: (node: {path: string; type: string}) => void}) {
				all.asked++;
				onNode({path, type});
				onNode({path: `${path}/only`, type: 'file'});
			},
		},
		signal: new AbortController().signal,
	};
	return all as unknown as Context & {asked: number};
}

test('a folder in the place of a single file, and the reverse, is refused before anything is touched', async t => {
	const [made] = await shapeProblems(source(1), context({isFolder: true, type: 'file'}));
	t.is(
		made,
		'`volume:/acme.json` was a single file when it was backed up, and what container `shop-proxy-1` has there (bind mount of "/srv/acme.json") is a folder, as the engine makes one where the file is missing: remove it, `touch` it on the host, and make the container anew (`docker compose up --detach --force-recreate proxy`)',
	);
	const fresh = source(1);
	Object.assign(fresh.container, {state: 'created'});
	const [never] = await shapeProblems(fresh, context({isFolder: true, type: 'file'}));
	t.regex(never ?? '', /: remove it, `touch` it on the host$/);
	for (const files of [0, 1, 7]) {
		const [reverse] = await shapeProblems(source(files), context({isFolder: false, type: 'dir'}));
		t.regex(reverse ?? '', /was a folder when it was backed up, and .* is a single file: make a folder of it on the host/, `${files}`);
	}
});

test('what is as it was is no problem; the snapshot is asked only where it may be a single file', async t => {
	const cases = [
		{files: 1, isFolder: true, type: 'dir', asked: 1},
		{files: 1, isFolder: false, type: 'file', asked: 1},
		{files: 7, isFolder: true, type: 'dir', asked: 0},
		{files: undefined, isFolder: false, type: 'dir', asked: 0},
	];
	for (const {files, asked, ...there} of cases) {
		const given = context(there);
		t.deepEqual(await shapeProblems(source(files), given), [], JSON.stringify(there));
		t.is(given.asked, asked, JSON.stringify(there));
	}

	t.deepEqual(await shapeProblems(source(1, ['/x']), context({isFolder: true, type: 'file'})), [], 'single files of a folder');
	t.true(await isSingleFile(source(1), context({isFolder: true, type: 'file'}).restic));
});
