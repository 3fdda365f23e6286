/** Which way a volume is restored after its file system refused a rename. */
import test from 'ava';
import type {RoomContext} from '../../../../../agent/sources/kind.ts';
import {entriesRestoring, whyInPlace} from '../../../../../agent/sources/volume/entries.ts';
import type {Place} from '../../../../../base/command.ts';
import {here} from '../../../../../base/here.ts';

type Asked = Parameters<typeof whyInPlace>[0];

const source = (volume: string, subpath?: string): Asked =>
	({
		name: 'volume:/data',
		kind: 'volume',
		target: 'shop/app',
		container: {id: 'c', name: 'app', mounts: []},
		mount: {type: 'volume', path: '/data', volume, readWrite: true, ...(subpath === undefined ? {} : {subpath})},
		exclude: [],
		stored: {snapshot: 's', path: '/shop/app/data'},
	}) as unknown as Asked;

test('what was refused once is written in place the next time, and nothing else is', async t => {
	const worker: Place = async ({argv, ...command}) => {
		const said = argv.includes('swap') ? {refused: 'uploads (EXDEV)'} : {};
		return here({...command, argv: ['echo', JSON.stringify(said)]});
	};
	const signal = new AbortController().signal;
	const why = async (asked: Asked) => whyInPlace(asked, {worker, all: [asked], signal} as unknown as RoomContext);
	const context = {target: 'shop/app', run: 'r', worker, signal} as unknown as Parameters<typeof entriesRestoring>[1];
	t.is(await why(source('refused')), undefined);
	await t.throwsAsync(async () => entriesRestoring(source('refused'), context).swap(), {
		message: '`volume:/data`: its file system refuses to rename uploads (EXDEV)',
	});
	t.is(await why(source('refused')), 'its file system refused to rename uploads (EXDEV) when a restore tried it');
	t.is(await why(source('other')), undefined);
	t.is(await why(source('refused', 'folder')), undefined);
});
