import test from 'ava';
import {pathOf, placeOf} from '../../../../agent/browse/place.ts';
import type {Manifest} from '../../../../agent/repository/manifest.ts';
import {NotFoundError, UsageError} from '../../../../base/errors.ts';

const manifestOf = (...sources: string[]) =>
	({
		run: 'run-1',
		target: 'shop/app',
		sources: sources.map(source => ({source, kind: /(\w+):/.exec(source)?.[1]})),
	}) as unknown as Manifest;

const one = manifestOf('volume:/data', 'volume:/data/inner', 'sqlite:/data/a.db', 'postgres:app', 'tar:/etc/app');
const group = manifestOf('web/volume:/data', 'mail/volume:/data', 'mail/volume:/spool');
const root = manifestOf('volume:/');

const placed = (manifest: Manifest, text: string) => {
	const {stored, below} = placeOf(manifest, text);
	return [stored.source, below];
};

test('a source, and what is below it', t => {
	t.deepEqual(placed(one, 'postgres:app'), ['postgres:app', '']);
	t.deepEqual(placed(one, 'volume:/data'), ['volume:/data', '']);
	t.deepEqual(placed(one, 'volume:/data/up/a.png'), ['volume:/data', '/up/a.png']);
	t.deepEqual(placed(group, 'mail/volume:/data/x'), ['mail/volume:/data', '/x']);
});

test('a path in the container is in the innermost source that holds it', t => {
	t.deepEqual(placed(one, '/data/'), ['volume:/data', '']);
	t.deepEqual(placed(one, '/data/inner/x'), ['volume:/data/inner', '/x']);
	t.deepEqual(placed(one, '/data/a.db'), ['sqlite:/data/a.db', '']);
	t.deepEqual(placed(one, '/etc/app'), ['tar:/etc/app', '']);
	t.deepEqual(placed(root, '/'), ['volume:/', '']);
	t.deepEqual(placed(root, '/etc/x'), ['volume:/', '/etc/x']);
	t.deepEqual(placed(group, '/spool/a'), ['mail/volume:/spool', '/a']);
});

test('a path that several services have must be named with its source', t => {
	const {hint} = t.throws(() => placeOf(group, '/data/x'), {instanceOf: UsageError}) as UsageError;
	t.regex(hint ?? '', /`web\/volume:\/data\/x` or `mail\/volume:\/data\/x`/);
});

for (const text of ['/dat', '/database', '/etc/app/file', '/data/../etc', 'postgres:app/x', 'nothing', '']) {
	test(`nothing is found for ${JSON.stringify(text)} that is not there`, t => {
		t.throws(() => placeOf(one, text), {instanceOf: NotFoundError, message: /point `run-1` of `shop\/app` holds no/});
	});
}

test('what is told is taken again', t => {
	for (const [source, below] of [
		['volume:/data', ''],
		['volume:/data', '/up/a.png'],
		['postgres:app', ''],
		['sqlite:/data/a.db', ''],
	] as const) {
		t.deepEqual(placed(one, pathOf(source, below)), [source, below]);
	}

	t.is(pathOf('volume:/', ''), '/');
	t.is(pathOf('volume:/', '/etc'), '/etc');
});
