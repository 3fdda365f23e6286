import test from 'ava';
import {CrowdedError, isCrowded} from '../../../../../agent/sources/postgres/crowded.ts';
import {NoSessionError} from '../../../../../agent/sources/postgres/maintenance.ts';
import {RunError} from '../../../../../base/errors.ts';

const russian = 'PostgreSQL refused: psql: error: connection to server failed: ВАЖНО:  извините, уже слишком много клиентов';

test('a server without room is waited for, in whichever language it says so, once it has let the role in', t => {
	t.true(isCrowded(new CrowdedError('3 are needed'), {wasLetIn: false}));
	t.true(isCrowded(new RunError('FATAL:  sorry, too many clients already'), {wasLetIn: false}));
	t.true(isCrowded(new RunError('FATAL:  the database system is starting up'), {wasLetIn: false}));
	t.true(isCrowded(new NoSessionError(russian), {wasLetIn: true}));
	t.true(isCrowded(new RunError(`\`psql\` ended with exit code 2: ${russian}`), {wasLetIn: true}));
	const said = 'FATAL:  tut mir leid, schon zu viele Verbindungen';
	for (const dumping of [
		`pg_dump of \`shop\` failed with exit code 1: pg_dump: error: connection to server on socket "/run/.s.PGSQL.5432" failed: ${said}`,
		`pg_dump of \`shop\` failed with exit code 1: pg_dump: error: connection to server at "127.0.0.1", port 5432 failed: ${said}`,
		`pg_dump of \`shop\` failed with exit code 1: pg_dump: error: connection to database "shop" failed: ${said}`,
		`\`pg_dumpall\` exited with 1: pg_dumpall: error: could not connect to database "dbname='shop'": ${said}`,
	]) {
		t.true(isCrowded(new RunError(dumping), {wasLetIn: true}), dumping);
		t.false(isCrowded(new RunError(dumping), {wasLetIn: false}), 'a role that was never let in is not');
	}
});

test('what does not pass is not waited for', t => {
	t.false(isCrowded(new NoSessionError(russian), {wasLetIn: false}));
	t.false(isCrowded(new NoSessionError('FATAL:  database "x" does not exist'), {wasLetIn: true}));
	t.false(isCrowded(new NoSessionError('FATAL:  password authentication failed for user "x"'), {wasLetIn: true}));
	t.false(isCrowded(new RunError('`pg_dump` failed'), {wasLetIn: true}));
	t.false(isCrowded(new RunError('pg_dump: error: query failed: FEHLER:  Relation existiert nicht'), {wasLetIn: true}));
});
