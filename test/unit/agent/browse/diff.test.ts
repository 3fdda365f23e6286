import test from 'ava';
import {diff} from '../../../../agent/browse/diff.ts';
import type {Manifest} from '../../../../agent/repository/manifest.ts';
import type {CompareOptions} from '../../../../agent/restic/restic.ts';

const manifestOf = (run: string, target: string, sources: Array<[source: string, path: string, bytes: number]>) =>
	({
		run,
		target,
		time: '2026-11-01T00:00:00.000Z',
		sources: sources.map(([source, path, bytes]) => ({source, path, bytes, snapshot: `${run}-${source}`})),
	}) as unknown as Manifest;

const before = manifestOf('run-1', 'former/app', [
	['volume:/data', '/former/app/volume/data', 10],
	['postgres:app', '/former/app/postgres/app', 5],
	['volume:/gone', '/former/app/volume/gone', 3],
]);
const after = manifestOf('run-2', 'shop/app', [
	['volume:/data', '/shop/app/volume/data', 12],
	['postgres:app', '/shop/app/postgres/app', 5],
]);

test('each source is compared with itself, also under another name of the target', async t => {
	const compared: string[] = [];
	const compare = async ({from, to, onChange}: CompareOptions) => {
		compared.push(`${from.folder} ${to.folder}`);
		if (to.folder.endsWith('volume')) {
			for (const [modifier, path] of [
				['+', '/data/new/'],
				['-', '/data/old'],
				['M', '/data/a'],
				['T', '/data/b'],
			] as const) {
				onChange({modifier, path});
			}
		}
	};
	const {from, to, sources} = await diff({compare}, before, after, 3);
	t.deepEqual(compared, ['/former/app/volume /shop/app/volume', '/former/app/postgres /shop/app/postgres']);
	t.like(from, {point: 'run-1', target: 'former/app'});
	t.like(to, {point: 'run-2', target: 'shop/app'});
	t.deepEqual(sources, [
		{
			source: 'volume:/data',
			bytes: {from: 10, to: 12},
			added: 1,
			removed: 1,
			changed: 2,
			entries: [
				{path: '/data/new/', change: 'added'},
				{path: '/data/old', change: 'removed'},
				{path: '/data/a', change: 'changed'},
			],
		},
		{source: 'postgres:app', bytes: {from: 5, to: 5}, added: 0, removed: 0, changed: 0, entries: []},
		{source: 'volume:/gone', bytes: {from: 3, to: null}, added: 0, removed: 0, changed: 0, entries: []},
	]);
});
