/** How much room a volume is said to need. */
import test from 'ava';
import type {RestoreOptions} from '../../../../../agent/restic/restic.ts';
import {volume} from '../../../../../agent/sources/volume/index.ts';
import {here} from '../../../../../base/here.ts';

interface Scene {
	inPlace?: string;
	isFolder?: boolean;
	room?: {fresh: number; over: number};
}

/** 1,000 bytes, of which 900 are holes. */
function scene({inPlace, isFolder = true, room = {fresh: 0, over: 0}}: Scene) {
	const source = {
		name: 'volume:/data',
		kind: 'volume',
		target: 'shop/app',
		container: {id: 'c', name: 'app', createdAt: 0, mounts: []},
		mount: {type: 'volume', path: '/data', volume: 'data', readWrite: true},
		exclude: [],
		stored: {snapshot: 'ab'.repeat(32), path: '/shop/app/volume/data', bytes: 1000, details: {holes: 900}},
		inPlace,
	} as unknown as Parameters<NonNullable<typeof volume.writing>>[0];
	return volume.writing?.(source, {
		worker: async () => here({argv: [isFolder ? 'true' : 'false']}),
		restic: {room: async (_: RestoreOptions) => room},
		all: [source],
		signal: new AbortController().signal,
	} as unknown as Parameters<NonNullable<typeof volume.writing>>[1]);
}

test('beside what is live, holes are holes', t => {
	t.is(scene({})?.atMost, 100);
	t.is(scene({})?.exactly, undefined);
});

test('in its place, a file that is there is written without its holes, and a new one with them', async t => {
	const inPlace = 'there is no room for both';
	t.is(scene({inPlace})?.atMost, 1000);
	t.is(await scene({inPlace, room: {fresh: 600, over: 300}})?.exactly?.(), 400);
	t.is(await scene({inPlace, room: {fresh: 0, over: 1000}})?.exactly?.(), 1000);
	t.is(await scene({inPlace, isFolder: false})?.exactly?.(), 1000);
});
