// write-postgres [FOLDER]: appends rows to PostgreSQL all the time, and after each commit writes the file FOLDER/n, by default /data/files:
// "row n, then file n", so at any one moment the newest file is n or n - 1. Table entries(n bigint primary key, written_at, payload).
// The connection comes from psql's own variables (PGHOST, PGUSER, PGPASSWORD, PGDATABASE). It connects again when it loses the server,
// and goes on from the newest row that the database has.
import {spawn} from 'node:child_process';
import process from 'node:process';
import {createInterface} from 'node:readline';
import {setTimeout as delay} from 'node:timers/promises';
import {forever, stopping, writeFileOf} from './writing.ts';

const [folder = '/data/files'] = process.argv.slice(2);

const connect = () => {
	const child = spawn('psql', ['--no-psqlrc', '--quiet', '--tuples-only', '--no-align', '--set', 'ON_ERROR_STOP=1'], {
		stdio: ['pipe', 'pipe', 'inherit'],
	});
	child.stdin.on('error', () => {});
	const lines = createInterface({input: child.stdout})[Symbol.asyncIterator]();
	/** One statement that returns one value. */
	const ask = async (sql: string): Promise<string> => {
		child.stdin.write(`${sql};\n`);
		const {done, value} = await lines.next();
		if (done) {
			throw new Error('psql ended');
		}

		return value;
	};

	return {ask, end: () => child.stdin.end()};
};

const write = async (): Promise<void> => {
	const {ask, end} = connect();
	try {
		await ask(`set client_min_messages = warning;
			create table if not exists entries (n bigint primary key, written_at timestamptz not null default now(), payload text not null);
			select 1`);
		console.log(`writing to ${process.env.PGDATABASE ?? 'the database'} and ${folder}`);
		await forever(async () => {
			const n = await ask('insert into entries select coalesce(max(n), 0) + 1, now(), md5(random()::text) from entries returning n');
			await writeFileOf(folder, Number(n));
		});
	} finally {
		end();
	}
};

while (!stopping.signal.aborted) {
	try {
		await write();
	} catch (error) {
		console.log(`connecting again: ${(error as Error).message}`);
		await delay(200, undefined, {signal: stopping.signal}).catch(() => {});
	}
}
