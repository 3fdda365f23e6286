import test from 'ava';
import {foreignAmong, foreignPoint, isForeign} from '../../../../agent/repository/foreign.ts';
import type {Snapshot} from '../../../../agent/restic/restic.ts';
import {NotFoundError, UsageError} from '../../../../base/errors.ts';

const snapshot = (
	id: string,
	{tags = [], paths = ['/srv/data'], at = 0}: {tags?: string[]; paths?: string[]; at?: number} = {},
): Snapshot => ({
	id: id.padEnd(64, '0'),
	time: new Date(at),
	tree: '',
	host: 'laptop',
	tags,
	paths,
	bytes: 5,
	addedBytes: 0,
});

const snapshots = [
	snapshot('aaaaaaaa1', {at: 1}),
	snapshot('aaaaaaaa2', {at: 2, tags: ['mine']}),
	snapshot('bbbbbb', {paths: ['/a', '/b']}),
	snapshot('cccccc', {tags: ['holdfast', 'agent:x', 'run:r']}),
	snapshot('dddddd', {tags: ['holdfast-first-pass']}),
];
const point = (text: string, only: string[] = ['volume:/data']) =>
	foreignPoint({point: `snapshot:${text}`, target: 'shop/app', only, snapshots});

test('what another program made is listed, newest first; nothing of Holdfast is among it', t => {
	t.deepEqual(
		foreignAmong(snapshots).map(({id}) => id.slice(0, 9)),
		['aaaaaaaa2', 'aaaaaaaa1', 'bbbbbb000'],
	);
	t.true(isForeign('snapshot:abc'));
	t.false(isForeign('20261121t030000-3f9a2c1'));
});

test('a folder of it is one volume of a target; its name says again which', t => {
	const {point: made, manifest} = point('bbbbbb:/a/../a/deep/');
	t.is(made.id, 'snapshot:bbbbbb00:/a/deep');
	t.like(manifest.sources[0], {source: 'volume:/data', path: '/a/deep', details: {path: '/data'}});
	t.like(point('bbbbbb00:/a/deep').point, {id: made.id, agent: null, host: 'laptop', target: 'shop/app'});
	t.is(point('aaaaaaaa1').manifest.sources[0]?.path, '/srv/data', 'where it has one path, that one');
	t.is(point('bbbbbb:/', ['web/volume:/data']).manifest.sources[0]?.path, '/');
});

test('what is not one snapshot of another program, and what is not said, is refused', t => {
	t.throws(() => point('aaaaaaaa'), {instanceOf: NotFoundError, message: /no one snapshot/});
	t.throws(() => point('aaa'), {instanceOf: NotFoundError});
	t.throws(() => point('latest'), {instanceOf: NotFoundError});
	t.throws(() => point('cccccc'), {instanceOf: NotFoundError, message: /Holdfast's own/});
	t.throws(() => point('bbbbbb'), {instanceOf: UsageError, message: /2 paths: \/a, \/b/});
	for (const only of [[], ['postgres:app'], ['volume:/a', 'volume:/b']]) {
		t.throws(() => point('aaaaaaaa1', only), {instanceOf: UsageError, message: /--only/});
	}
});
