/**
 * Writes n to MariaDB, Valkey, PostgreSQL, SQLite and a file, one after the other and each when the one before has answered; then n + 1. So in any
 * one moment the numbers differ by at most one. Clients: the servers' own programs, each one session that never ends.
 */
import {type ChildProcessByStdio, spawn} from 'node:child_process';
import {mkdirSync, renameSync, writeFileSync} from 'node:fs';
import {connect} from 'node:net';
import {createInterface} from 'node:readline';
import {DatabaseSync} from 'node:sqlite';
import type {Readable, Writable} from 'node:stream';

/** A program that prints a line for each line that it is given. */
function session([program = '', ...argv]: string[]): (line: string) => Promise<string> {
	const child: ChildProcessByStdio<Writable, Readable, null> = spawn(program, argv, {stdio: ['pipe', 'pipe', 'inherit']});
	child.on('exit', code => process.exit(code ?? 1));
	return asking(child.stdout, child.stdin);
}

function asking(from: Readable, to: Writable): (line: string) => Promise<string> {
	const lines = createInterface({input: from})[Symbol.asyncIterator]();
	return async line => {
		to.write(`${line}\n`);
		return (await lines.next()).value ?? process.exit(1);
	};
}

const mariadb = session(['mariadb', '-hmaria', '-uroot', '--skip-ssl', '--batch', '-N', '--unbuffered', 'shop']);
const postgres = session(['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1']);
const socket = connect(6379, 'cache');
const valkey = asking(socket, socket);
mkdirSync('/data/files', {recursive: true});
const sqlite = new DatabaseSync('/data/app.db');
sqlite.exec('pragma journal_mode = wal; create table if not exists t (n int); delete from t; insert into t values (0)');
await mariadb('create table if not exists t (n int); delete from t; insert into t values (0); select 1;');
await postgres('create table if not exists t (n int); delete from t; insert into t values (0); select 1;');

for (let n = 1; ; n++) {
	await mariadb(`update t set n = ${n}; select ${n};`);
	await valkey(`SET n n=${String(n).padStart(8, '0')}`);
	await postgres(`update t set n = ${n}; select ${n};`);
	sqlite.exec(`update t set n = ${n}`);
	writeFileSync('/data/files/new', String(n));
	renameSync('/data/files/new', '/data/files/n');
}
