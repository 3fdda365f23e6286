import test from 'ava';
import {afterLoad, beforeLoad, extensionProblems} from '../../../agent/sources/postgres-extensions.ts';

const dumped = {plpgsql: '1.0', promscale: '0.8', timescaledb: '2.19.3', hstore: '1.8'};

test('promscale is made after timescaledb was told, and is the last to be told', t => {
	t.deepEqual(beforeLoad(dumped), [
		"create extension if not exists timescaledb version '2.19.3'",
		'select timescaledb_pre_restore()',
		"create extension if not exists promscale version '0.8'",
	]);
	t.deepEqual(afterLoad(dumped), ['select timescaledb_post_restore()', 'select prom_api.promscale_post_restore()']);
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
