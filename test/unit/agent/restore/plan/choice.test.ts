import test from 'ava';
import type {Manifest} from '../../../../../agent/repository/manifest.ts';
import {choose} from '../../../../../agent/restore/plan/choice.ts';

const manifest = {
	sources: ['app/volume:/data', 'app/volume:/data/inner', 'app/sqlite:/data/a.db', 'app/volume:/'].map(source => ({
		source,
		kind: source.includes('volume') ? 'volume' : 'sqlite',
	})),
} as unknown as Manifest;

const chosen = (...only: string[]) => choose(manifest, only).chosen.map(({stored, paths}) => [stored.source, paths]);

test('nothing named is everything', t => {
	t.is(choose(manifest, []).chosen.length, 4);
});

test('a source, and a path in the innermost volume', t => {
	t.deepEqual(chosen('app/sqlite:/data/a.db'), [['app/sqlite:/data/a.db', undefined]]);
	t.deepEqual(chosen('app/volume:/data/up loads/a.png'), [['app/volume:/data', ['/up loads/a.png']]]);
	t.deepEqual(chosen('app/volume:/data/inner/*'), [['app/volume:/data/inner', ['/*']]]);
	t.deepEqual(chosen('app/volume:/etc/x/'), [['app/volume:/', ['/etc/x']]]);
});

test('a folder takes what is in it, and a source takes its paths, in either order', t => {
	t.deepEqual(chosen('app/volume:/data/a/b', 'app/volume:/data/a', 'app/volume:/data/c'), [['app/volume:/data', ['/a', '/c']]]);
	t.deepEqual(chosen('app/volume:/data', 'app/volume:/data/a'), [['app/volume:/data', undefined]]);
	t.deepEqual(chosen('app/volume:/data/a', 'app/volume:/data'), [['app/volume:/data', undefined]]);
});

for (const path of ['../../etc/passwd', 'a/../b', './a', 'a//b', 'a/.', '', 'raw\uFFFD', 'nul\0']) {
	test(`no path that could lead elsewhere: ${JSON.stringify(path)}`, t => {
		t.deepEqual(choose(manifest, [`app/volume:/data/${path}`]), {chosen: [], unknown: [`app/volume:/data/${path}`]});
	});
}
