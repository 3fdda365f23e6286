import test from 'ava';
import {afterLoad, beforeLoad, extensionProblems, privilegeProblems} from '../../../../../agent/sources/postgres/extensions.ts';

const dumped = {plpgsql: '1.0', promscale: '0.8', timescaledb: '2.19.3', hstore: '1.8'};

test('promscale is made after timescaledb was told, and is the last to be told', t => {
	t.deepEqual(beforeLoad(dumped), [
		"create extension if not exists timescaledb version '2.19.3'",
		'select timescaledb_pre_restore()',
		"create extension if not exists promscale version '0.8'",
	]);
	t.deepEqual(afterLoad(dumped), [
		'select timescaledb_post_restore()',
		'select timescaledb_post_restore()',
		'select prom_api.promscale_post_restore()',
	]);
	t.deepEqual([...beforeLoad({plpgsql: '1.0'}), ...afterLoad({plpgsql: '1.0'})], []);
});

test('an extension that is missing, or that needs its own version, is a problem', t => {
	const available = ['plpgsql 1.0', 'promscale 0.8', 'timescaledb 2.19.3', 'hstore 1.7'];
	t.deepEqual(extensionProblems(dumped, available), []);
	t.deepEqual(extensionProblems(dumped, available.slice(1)), ['the server does not have the extension plpgsql']);
	const [problem = '', ...others] = extensionProblems(dumped, ['plpgsql 1.0', 'promscale 0.8', 'timescaledb 2.20.0', 'hstore 1.8']);
	t.regex(problem, /timescaledb in version 2\.19\.3, and the server has timescaledb 2\.20\.0/);
	t.deepEqual(others, []);
});

test('a role that is no superuser makes what is trusted, from PostgreSQL 13 on', t => {
	const entry = (name: string, version: string, trusted: boolean, superuser = true) => ({name, version, superuser, trusted});
	const available = [
		entry('plpgsql', '1.0', true),
		entry('hstore', '1.8', true),
		entry('open', '1', false, false),
		entry('postgis', '3.4', false),
	];
	const problems = (server: number, trusts = true) =>
		privilegeProblems(
			{plpgsql: '1.0', hstore: '1.8', open: '1', postgis: '3.5'},
			available.map(each => ({...each, trusted: trusts && each.trusted})),
			{role: 'app', server},
		);
	t.deepEqual(problems(170_006), ['only a superuser may make the extension postgis, and role `app` is none']);
	t.deepEqual(problems(120_022, false), [
		'only a superuser may make the extension hstore before PostgreSQL 13, and role `app` is none',
		'only a superuser may make the extension postgis before PostgreSQL 13, and role `app` is none',
	]);
});
