import test from 'ava';
import {readOnlyProblems, versionProblems, zoneProblems} from '../../../../../agent/sources/mariadb/check.ts';

const problems = (dumped: string, flavour: 'mariadb' | 'mysql', server: string, ofServer: 'mariadb' | 'mysql') =>
	versionProblems({flavour, version: dumped}, {flavour: ofServer, version: server, where: 'in container `db`'});

test('a server reads what one of its kind wrote that is not newer', t => {
	t.deepEqual(problems('10.11.19-MariaDB', 'mariadb', '11.8.2-MariaDB', 'mariadb'), []);
	t.deepEqual(problems('11.8.9-MariaDB', 'mariadb', '11.8.2-MariaDB', 'mariadb'), []);
	t.regex(problems('11.8.2-MariaDB', 'mariadb', '10.11.19-MariaDB', 'mariadb').join(), /MariaDB 11\.8\.2.*older: 10\.11\.19/);
	t.regex(problems('8.4.1', 'mysql', '11.8.2-MariaDB', 'mariadb').join(), /MySQL 8\.4\.1.*is MariaDB 11\.8\.2/);
});

test('a replica is refused with what to restore into instead', async t => {
	const server = (setting: string) => ({where: 'here', query: async () => [[setting]]});
	t.deepEqual(await readOnlyProblems(server('0')), []);
	t.regex((await readOnlyProblems(server('1'))).join(), /read-only.*the one that it follows/);
});

test('events in a time zone that the server does not know are refused with the way out', async t => {
	const server = (unknown: string) => ({where: 'here', query: async () => [[unknown]]});
	const schedule = {timeZones: ['Europe/Berlin'], ending: []};
	t.deepEqual(await zoneProblems({schedule}, server('0')), []);
	t.regex((await zoneProblems({schedule}, server('1'))).join(), /timed in "Europe\/Berlin".*mariadb-tzinfo-to-sql/);
});
