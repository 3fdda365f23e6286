// write-sqlite [DATABASE [FOLDER]]: appends rows to an SQLite database in WAL mode all the time, by default /data/app.db.
// Table entries(n integer primary key, written_at text, payload text); table counter(total) counts them in the same transaction, so any
// consistent copy has count(*) = max(n) = total. With FOLDER it then writes the file FOLDER/n ("row n, then file n"): at any one moment the
// newest file is n or n - 1. The checkpoint never runs by itself with WRITE_WITHOUT_CHECKPOINT=1: every row since the start is in the WAL.
import process from 'node:process';
import {DatabaseSync} from 'node:sqlite';
import {forever, writeFileOf} from './writing.ts';

const [file = '/data/app.db', folder] = process.argv.slice(2);
const database = new DatabaseSync(file, {timeout: 30_000});
database.exec(`
	pragma journal_mode = wal;
	pragma wal_autocheckpoint = ${process.env.WRITE_WITHOUT_CHECKPOINT === '1' ? 0 : 1000};
	create table if not exists entries (n integer primary key, written_at text not null, payload text not null);
	create table if not exists counter (total integer not null);
	insert into counter select 0 where not exists (select 1 from counter);
`);
const append = database.prepare("insert into entries select total + 1, datetime('now'), hex(randomblob(50)) from counter returning n");
const count = database.prepare('update counter set total = total + 1');
console.log(`writing to ${file}${folder ? ` and ${folder}` : ''}`);

await forever(async () => {
	database.exec('begin immediate');
	const {n} = append.get() as {n: number};
	count.run();
	database.exec('commit');
	if (folder) {
		await writeFileOf(folder, n);
	}
});
database.close();
