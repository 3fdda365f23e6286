import test from 'ava';
import {unspoken} from '../../../../../agent/sources/postgres/unspoken.ts';

test('literals of statements that may hold a password are not shown, also where they are cut off', t => {
	const mapping = `ERROR:  server "near" does not exist
Command was: CREATE USER MAPPING FOR postgres SERVER near OPTIONS (
    password 'it''s secret',
    "user" 'x'
);`;
	t.is(
		unspoken(mapping),
		`ERROR:  server "near" does not exist
Command was: CREATE USER MAPPING FOR postgres SERVER near OPTIONS (
    password '…',
    "user" '…'
);`,
	);
	t.is(unspoken("Command was: CREATE SUBSCRIPTION s CONNECTION 'host=x password=sec"), "Command was: CREATE SUBSCRIPTION s CONNECTION '…'");
	t.is(unspoken(String.raw`LINE 1: ALTER ROLE x WITH LOGIN PASSWORD E'a\'b' VALID`), "LINE 1: ALTER ROLE x WITH LOGIN PASSWORD '…' VALID");
});

test('other messages stay as they are', t => {
	for (const message of [
		'psql:<stdin>:3: ERROR:  relation "t" does not exist\nLINE 1: select \'x\' from t',
		"Command was: CREATE TABLE t (a text DEFAULT 'x');",
		'FATAL:  password authentication failed for user "x"',
	]) {
		t.is(unspoken(message), message);
	}
});
