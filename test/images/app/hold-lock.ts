// hold-lock [DATABASE]: an SQLite database in rollback-journal mode, by default /data/app.db. While the file DATABASE.wanted is there it holds an
// exclusive lock, and says so with the file DATABASE.held. With LOCK_PAUSES it lets go, and removes both, after it stood still that often.
import {existsSync, rmSync, writeFileSync} from 'node:fs';
import process from 'node:process';
import {DatabaseSync} from 'node:sqlite';

const [file = '/data/app.db'] = process.argv.slice(2);
const wanted = `${file}.wanted`;
const held = `${file}.held`;
const database = new DatabaseSync(file, {timeout: 30_000});
database.exec(
	'pragma journal_mode = delete; create table if not exists entries (n integer primary key); insert into entries default values',
);
let pauses = 0;
let last = performance.now();

const release = (): void => {
	database.exec('commit');
	rmSync(held);
	rmSync(wanted, {force: true});
};

setInterval(() => {
	const now = performance.now();
	pauses += now - last > 900 ? 1 : 0;
	last = now;
	if (database.isTransaction) {
		if (!existsSync(wanted) || pauses >= Number(process.env.LOCK_PAUSES ?? Number.POSITIVE_INFINITY)) {
			release();
		}
	} else if (existsSync(wanted)) {
		database.exec('begin exclusive; insert into entries default values');
		pauses = 0;
		writeFileSync(held, '');
	}
}, 100);
console.log('ready');
process.on('SIGTERM', () => process.exit(0));
