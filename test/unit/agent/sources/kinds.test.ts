/** The table of kinds, and the words of other Holdfasts: older ones are read, newer ones are said to be newer. */
import {readdirSync} from 'node:fs';
import test from 'ava';
import {planDrill} from '../../../../agent/drill/plan.ts';
import type {Manifest} from '../../../../agent/repository/manifest.ts';
import {manifest as manifestSchema} from '../../../../agent/repository/manifest.ts';
import {planRestoration} from '../../../../agent/restore/plan/plan.ts';
import {describeReplaced, kindOf, kinds, readReplaced} from '../../../../agent/sources/kinds.ts';
import {discoverTargets} from '../../../../agent/targets/discovery.ts';
import {labelNames} from '../../../../agent/targets/label-names.ts';
import {containerFromList} from '../../../../docker/container.ts';

const folders = readdirSync('agent/sources', {withFileTypes: true}).filter(entry => entry.isDirectory());

test('every folder of sources is in the table, under its own name', t => {
	t.deepEqual(kinds.map(({kind}) => kind).toSorted(), folders.map(({name}) => name).toSorted());
});

for (const kind of kinds) {
	test(`${kind.kind}: the entry is complete`, t => {
		t.true(kind.title !== '');
		const labels = Object.keys(kind.labels);
		const [asking = ''] = labels;
		t.true(labels.every(label => labelNames.includes(label)));
		t.false(asking.includes('.'), 'the first label asks for it');
		const owners = labels.filter(label => label.includes('.')).map(label => label.split('.')[0]);
		t.true(owners.every(owner => labels.includes(owner ?? '')));
		for (const verb of [
			'policy',
			'asks',
			'plan',
			'stillness',
			'view',
			'backup',
			'place',
			'restore',
			'rollBack',
			'release',
			'describe',
			'drill',
		] as const) {
			t.is(typeof kind[verb], 'function', verb);
		}

		t.is(typeof kind.rank, 'number');
		t.false(kind.asks(kind.policy({})), 'without labels nothing is asked for');
	});
}

test('a kind stands once in the table, and no label has two owners', t => {
	t.is(new Set(kinds.map(({kind}) => kind)).size, kinds.length);
	t.is(new Set(labelNames).size, labelNames.length);
});

/** As older versions wrote them. */
const mount = {type: 'volume' as const, from: 'shop_data', to: '/shop/volume/data', readOnly: false};
const run = '20261121t030000-0000001';
const records = [
	[{kind: 'postgres', source: 'db/postgres:app', database: 'app', fresh: 'app_restore_1', oid: null, old: null}, undefined],
	[
		{
			kind: 'postgres',
			source: 'postgres:app',
			database: 'app',
			fresh: 'f',
			oid: '17',
			old: 'app_before_1',
			user: 'me',
			external: {host: 'db', port: 5432, project: 'shop'},
		},
		'postgres:app: database app_before_1',
	],
	[{kind: 'postgres', source: 'postgres:app', database: 'new', fresh: 'f', oid: '17', old: null, beside: true}, undefined],
	[
		{kind: 'sqlite', source: 'sqlite:/data/a.db', target: 'shop/other', mount, file: '/x/a.db', fresh: '/x/f', old: '/x/a.db-old'},
		'shop/other sqlite:/data/a.db: file a.db-old',
	],
	[{kind: 'volume', source: 'volume:/data', mount, safety: null, exclude: []}, undefined],
	[{kind: 'volume', source: 'volume:/data', mount, safety: 'abcdef0123456789', exclude: ['/cache']}, 'volume:/data: snapshot abcdef01'],
	[
		{kind: 'files', source: 'app/volume:/data', mount, scratch: '/x/s', run, paths: ['/a/b.png']},
		`app/volume:/data: .b.png.holdfast-before-${run}`,
	],
	[
		{
			kind: 'valkey',
			source: 'cache/valkey:all',
			mount,
			folder: '/x',
			fresh: '/x/.valkey.holdfast-restore-1',
			old: '/x/.valkey.holdfast-before-1',
			container: 'shop-cache-1',
			access: {},
			loads: {keys: 3, expires: 1},
			laid: {
				files: {saved: 'dump.rdb', appended: 'appendonlydir', appendedFile: 'appendonly.aof'},
				uid: 999,
				gid: 999,
				isAppending: true,
				isMultiPart: true,
			},
		},
		'cache/valkey:all: folder .valkey.holdfast-before-1',
	],
	[{kind: 'tar', source: 'tar:/etc/app', path: '/etc/app', safety: '0123456789abcdef'}, 'tar:/etc/app: snapshot 01234567'],
] as const;

for (const [record, said] of records) {
	test(`the journal's ${record.kind} of ${record.source} is read whole: ${said ?? 'nothing was there'}`, t => {
		const {kind, old} = readReplaced(record);
		t.true(record.source.includes(`${kind.kind}:`));
		t.deepEqual(old, record as never);
		t.is(describeReplaced(record, 'shop/app'), said);
	});
}

test('what a newer Holdfast replaced is named, and neither put back nor let go', t => {
	t.throws(() => readReplaced({kind: 'cow', source: 'app/cow:/data'}), {message: /kind `cow`.* newer Holdfast/});
	t.is(describeReplaced({kind: 'cow', source: 'app/cow:/data'}, 'shop/app'), 'app/cow:/data');
	t.throws(() => readReplaced({kind: 'tar', source: 'tar:/etc/app'}), {message: /`tar:\/etc\/app` cannot be read/});
});

test('a point of a newer Holdfast is a problem in its own words, and only of what it holds', t => {
	t.throws(() => kindOf('cow'), {message: /kind `cow`.* newer Holdfast/});
	const container = containerFromList({
		Id: 'id',
		Names: ['/shop-app-1'],
		Image: 'app',
		ImageID: 'sha256:1',
		Created: 0,
		State: 'running',
		Labels: {'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'app', 'holdfast.enable': 'true'},
		Mounts: [{Type: 'volume', Name: 'data', Source: '/v', Destination: '/data', RW: true}],
	});
	const [target] = discoverTargets([container]);
	const stored = (source: string, kind: string) => ({
		...{source, kind, snapshot: 'a', bytes: 1, addedBytes: 1, durationSeconds: 1, path: '/shop', details: {}},
		container: {name: 'x', image: 'i', imageId: 'i', labels: {}},
	});
	const manifest = {sources: [stored('volume:/data', 'volume'), stored('cow:/data', 'cow')]} as unknown as Manifest;
	t.true(manifestSchema.shape.sources.safeParse(manifest.sources).success);
	const point = {
		id: 'run',
		target: 'shop/app',
		filedAs: 'shop/app',
		agent: 'agent-1',
		host: 'h',
		time: new Date(0),
		manifest: 'm',
		sources: [],
	};
	const plan = (only: string[]) =>
		planRestoration({target: target as never, containers: [container], point, manifest, only, isOurs: true, self: 'me'});
	t.deepEqual(plan([]).problems, ['`cow:/data`: it is of the kind `cow`, which was made by a newer Holdfast']);
	t.deepEqual(plan(['volume:/data']).problems, []);
	t.deepEqual(planDrill(target as never, point, manifest).problems, [
		'`cow:/data` cannot be rehearsed: it is of the kind `cow`, which was made by a newer Holdfast',
	]);
});
