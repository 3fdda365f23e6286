/** What one more backup adds to the repository when 1 % of the rows were changed, against a dump that is compressed afresh. */
import {until} from '../support/until.ts';
import type {Row, Size} from './table.ts';
import {openYard, postgresService, serverAnswers} from './yard.ts';

const rowsInAll = 2_000_000;

const fill = `psql --username=postgres --dbname=bench --quiet --set=ON_ERROR_STOP=1 --command="
create table entries as select n, now() + n * interval '1 second' as written_at, md5(n::text) || md5((n + 1)::text) as payload from generate_series(1, $1) n"`;

/** `$1`: a condition that picks the rows. */
const change = `psql --username=postgres --dbname=bench --quiet --set=ON_ERROR_STOP=1 --command="
update entries set payload = md5(payload) || md5(payload || 'x') where $1"`;

/** What every pg_dump does by itself. */
const gzipDump = 'pg_dump --username=postgres -Fc bench | wc -c';

export async function benchGrowth({scale}: Size): Promise<Row[]> {
	const yard = await openYard({db: await postgresService()}, []);
	try {
		const {stack, timed, backup} = yard;
		await until('the database', async () => (await stack.exec('db', ...serverAnswers)) === '', {timeout: 120_000});
		const rows = Math.round(rowsInAll * scale);
		await timed('db', fill, String(rows));
		await backup('db');
		const grownAfter = async (what: string, condition: string): Promise<Row> => {
			await timed('db', change, condition);
			const {result} = await backup('db');
			const dump = Number(await stack.exec('db', 'sh', '-c', gzipDump));
			const added = result.sources.reduce((sum, {addedBytes}) => sum + addedBytes, 0);
			return {what, baseline: [dump], holdfast: [added], unit: 'bytes'};
		};

		const middle = Math.round(rows / 2);
		return [
			await grownAfter('growth, 1 % of the rows changed side by side', `n between ${middle} and ${middle + rows / 100}`),
			await grownAfter('… 1 % of the rows changed all over', 'n % 100 = 0'),
		];
	} finally {
		await yard.close();
	}
}
