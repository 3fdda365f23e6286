/** PostGIS with topology and geocoder, and pgvector: rehearsed, and restored row by row where the database is gone. Lane: waits. */
import test from 'ava';
import type {DrillResult} from '../../../base/results.ts';
import {ensureImage} from '../../support/images.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const content = `
	create extension postgis; create extension postgis_topology; create extension fuzzystrmatch; create extension postgis_tiger_geocoder; create extension vector;
	create table places (id int primary key, at geometry(Point, 4326) not null, embedding vector(3));
	insert into places select i, st_setsrid(st_makepoint(i % 180, i % 90), 4326), array[i, i % 7, 1]::real[]::vector from generate_series(1, 2000) i;
	create index on places using gist (at); create index on places using hnsw (embedding vector_l2_ops);
	insert into spatial_ref_sys (srid, auth_name, auth_srid, srtext, proj4text) select 990001, 'own', 990001, srtext, proj4text from spatial_ref_sys where srid = 4326;
	select topology.createtopology('town', 4326, 0.00001);
	select topology.topogeo_addlinestring('town', 'SRID=4326;LINESTRING(0 0, 1 1, 2 0)'::geometry);
	create table streets (name text); select topology.addtopogeometrycolumn('town', 'public', 'streets', 'topo', 'LINE');
	insert into streets values ('high', topology.totopogeom('SRID=4326;LINESTRING(0 0, 1 1)'::geometry, 'town', 1, 0));`;

const fingerprint = `
	select md5(string_agg(id || st_asewkt(at) || embedding::text, ',' order by id)) from places;
	select srid, auth_name from spatial_ref_sys where srid > 990000;
	select name, srid from topology.topology; select edge_id, st_astext(geom) from town.edge_data order by 1;
	select name, st_astext(topo::geometry) from streets; select layer_id, table_name from topology.layer;
	select string_agg(extname || extversion, ',' order by extname) from pg_extension; select count(*) from pg_indexes where tablename = 'places';
	select id from places order by embedding <-> '[9,2,1]' limit 3`;

test('what extensions keep in their own tables comes back', async t => {
	t.timeout(10 * 60_000);
	const stack = await startStack(t, {
		services: {
			db: {
				image: await ensureImage('holdfast-test/extended:pg17'),
				environment: {POSTGRES_PASSWORD: 'secret', POSTGRES_DB: 'maps'},
				labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'maps'},
			},
		},
	});
	const psql = async (sql: string, database = 'maps') =>
		stack.exec('db', 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres', '-d', database, '-c', sql);
	await until(
		'the database answers',
		async () => stack.exec('db', 'psql', '-h', '127.0.0.1', '-U', 'postgres', '-XAtqc', 'select 1', 'maps'),
		{
			timeout: 60_000,
		},
	);
	await psql(content);
	const before = await psql(fingerprint);
	const target = `${stack.project}/db`;
	const [result] = await stack.backup(target);
	t.is(result?.outcome, 'success', result?.error);
	const drilled = JSON.parse((await stack.holdfast('drill', target, '--json')).stdout) as DrillResult;
	t.is(drilled.outcome, 'success', JSON.stringify(drilled));
	await psql('drop database maps with (force)', 'postgres');
	const restored = await stack.restore(target);
	t.is(restored.outcome, 'success', restored.error);
	t.is(await psql(fingerprint), before);
	await psql("insert into streets values ('low', topology.totopogeom('SRID=4326;LINESTRING(1 1, 2 0)'::geometry, 'town', 1, 0))");
});
