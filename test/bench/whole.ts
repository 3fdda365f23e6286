/**
 * Whole runs, as a person at the command line waits for them, against the plain tools in the same container; and the outage as the application
 * sees it: the longest gap of a client that writes every 10 ms.
 */
import {setTimeout as delay} from 'node:timers/promises';
import {until} from '../support/until.ts';
import {fill} from './dump.ts';
import {appService, plainBackup, writeFiles} from './files.ts';
import type {Row, Size} from './table.ts';
import {inTurn, openYard, postgresService, serverAnswers, type Yard} from './yard.ts';

const databases = ['bench', 'two', 'three'];
const smallNoise = 3_000_000;
const largeNoise = 900_000_000;
const filesInAll = 20_000;
const bytesOfFile = 100_000;

/** More than what Holdfast allows for a clock that is behind. */
export const clockMarginMs = 3000;

const stamps = '/tmp/stamps';

/** `node -e SCRIPT FILE FROM`: the longest time between two stamps, in milliseconds, since that time. */
const longestGap = `
const [file, from] = process.argv.slice(1);
const times = require('node:fs').readFileSync(file, 'utf8').split('\\n').filter(Boolean).map(Number).filter(time => time >= Number(from));
console.log(Math.max(...times.map((time, index) => time - (times[index - 1] ?? time))));`;

export const makeSqlite = `
const {DatabaseSync} = require('node:sqlite');
const {randomBytes} = require('node:crypto');
const database = new DatabaseSync('/data/app.db');
database.exec('pragma journal_mode = wal; create table noise (line blob); begin');
const insert = database.prepare('insert into noise values (?)');
for (let n = 0; n < 4000; n++) insert.run(randomBytes(1000));
database.exec('commit');`;

const plainDumps = `for database in ${databases.join(' ')}; do
	pg_dump --username=postgres -Fc -Z0 $database | restic --repo="/plain/$1" --quiet backup --stdin --stdin-filename=$database
done`;

interface Measured {
	plain: number[];
	ours: number[];
	outage: number[];
}

const measured = (): Measured => ({plain: [], ours: [], outage: []});

/** The longest outage of a service that stamps, in milliseconds, while something is done. */
export async function watched(yard: Yard, service: string, work: () => Promise<number>): Promise<{tookMs: number; outageMs: number}> {
	const from = (await yard.stack.exec(service, 'date', '+%s%3N')).trim();
	const tookMs = await work();
	// Until it writes again, whatever starts it
	await until(
		'the application writes',
		async () => Number((await yard.stack.exec(service, 'tail', '-n', '1', stamps)).trim()) > Number(from),
	);
	await delay(200);
	return {tookMs, outageMs: Number(await yard.stack.exec(service, 'node', '-e', longestGap, stamps, from))};
}

export const stamping = async (volume: string, labels: Record<string, string> = {}) => {
	const service = await appService(volume);
	return {...service, entrypoint: undefined, command: ['stamp', stamps], labels: {...(service.labels as object), ...labels}};
};

export async function benchWhole({rounds, scale}: Size): Promise<Row[]> {
	const count = Math.round(filesInAll * scale);
	const small = {database: measured(), files: measured()};
	const big = {first: measured(), unchanged: measured(), changed: measured()};
	const restore = {run: measured(), undo: measured()};
	const dump = measured();
	for (let round = 0; round < rounds; round++) {
		const yard = await openYard(
			{
				db: await postgresService(),
				large: await postgresService(),
				little: await stamping('little', {'holdfast.sqlite': '/data/app.db'}),
				app: await stamping('data'),
			},
			['data', 'little'],
		);
		const {stack, timed, plainRepository} = yard;
		const compare = async (service: string, script: string, into: Measured) => {
			const plainRun = async () => timed(service, script, service);
			const [plainMs, {tookMs, outageMs}] = await inTurn(round, plainRun, async () => {
				const backUp = async () => (await yard.backup(service)).wholeMs;
				return ['app', 'little'].includes(service) ? watched(yard, service, backUp) : {tookMs: await backUp(), outageMs: 0};
			});
			into.plain.push(plainMs);
			into.ours.push(tookMs);
			into.outage.push(outageMs);
		};
		const write = async (from: number, step: number) =>
			stack.exec('app', 'node', '-e', writeFiles, String(from), String(step), String(count), String(bytesOfFile));
		try {
			for (const service of ['db', 'large', 'little', 'app']) {
				await plainRepository(service, service);
			}

			await until(
				'the databases',
				async () => {
					await stack.exec('db', ...serverAnswers);
					return stack.exec('large', ...serverAnswers).then(() => true);
				},
				{timeout: 120_000},
			);
			await timed('db', fill, String(smallNoise));
			for (const database of databases.slice(1)) {
				await stack.exec('db', 'createdb', '--username=postgres', `--template=bench`, database);
			}

			await stack.exec('little', 'node', '-e', makeSqlite);
			await stack.exec('little', 'node', '-e', writeFiles, '0', '1', '60', String(bytesOfFile));
			await compare('db', plainDumps, small.database);
			await compare('little', plainBackup, small.files);

			await timed('large', fill, String(Math.round(largeNoise * scale)));
			await compare(
				'large',
				'pg_dump --username=postgres -Fc -Z0 bench | restic --repo="/plain/$1" --quiet backup --stdin --stdin-filename=bench',
				dump,
			);

			await write(0, 1);
			// Files of the seconds around a run are read twice, because their times cannot be trusted; those of a day are hardly any of them
			await delay(clockMarginMs);
			await compare('app', plainBackup, big.first);
			await delay(clockMarginMs);
			await compare('app', plainBackup, big.unchanged);
			await write(round, 100);
			await delay(clockMarginMs);
			await compare('app', plainBackup, big.changed);

			const {outageMs, run} = await restored(yard);
			restore.run.outage.push(outageMs);
			const undone = await watched(yard, 'app', async () => {
				const begun = performance.now();
				await stack.holdfast('restore', 'undo', run, '--yes');
				return performance.now() - begun;
			});
			restore.undo.outage.push(undone.outageMs);
		} finally {
			await yard.close();
		}
	}

	const row = (what: string, {plain, ours}: Measured, aim: string): Row => ({what, baseline: plain, holdfast: ours, unit: 'ms', aim});
	const outage = (what: string, {outage: gaps}: Measured, aim: string): Row => ({what, baseline: [], holdfast: gaps, unit: 'ms', aim});
	const size = `${count} files of ${bytesOfFile / 1000} KB`;
	return [
		row('small: three databases', small.database, '2.5 s'),
		row('small: SQLite and a volume', small.files, '3 s'),
		outage('  … outage', small.files, '1 s'),
		row(`a database of ${((largeNoise * scale) / 1e6).toFixed(0)} MB`, dump, '1.25'),
		row(`${size}, first`, big.first, '1.25'),
		row('  … unchanged', big.unchanged, '1.4'),
		row('  … 1 % changed', big.changed, '1.4'),
		outage('  … first, outage', big.first, '1 s'),
		outage('  … 1 % changed, outage', big.changed, '1 s'),
		outage(`restore of ${size}, outage`, restore.run, '2 s'),
		outage('  … undo, outage', restore.undo, '2 s'),
	];
}

async function restored(yard: Yard): Promise<{outageMs: number; run: string}> {
	let run = '';
	const {outageMs} = await watched(yard, 'app', async () => {
		const {wholeMs, result} = await yard.restore('app');
		({run} = result);
		return wholeMs;
	});
	return {outageMs, run};
}
