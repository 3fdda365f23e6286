/** How fast a point comes back, against `restic dump | pg_restore` and `restic restore` of the same content in the same container. */
import {until} from '../support/until.ts';
import {bytesOfNothing, fill, plainDump} from './dump.ts';
import {appService, plainBackup, writeFiles} from './files.ts';
import {flow, type Row, type Size} from './table.ts';
import {inTurn, openYard, postgresService, type Restored, serverAnswers, type Yard} from './yard.ts';

const plainLoad = `dropdb --username=postgres --if-exists "plain_$1"
createdb --username=postgres "plain_$1"
restic --repo="/plain/$1" --quiet dump latest bench | pg_restore --username=postgres --exit-on-error --dbname="plain_$1"`;

const plainRestore = 'restic --repo="/plain/$1" --quiet restore --target="/plain/restored-$1" latest:/data';

const bytesOfNoise = 300_000_000;
const filesInAll = 10_000;
const bytesOfFile = 100_000;

/** A restore with nothing in its way: what plain tools took, and the run of Holdfast. */
interface Compared {
	plainMs: number;
	restored: Restored;
}

async function compareDatabase({timed, backup, restore}: Yard, round: number, noise: string): Promise<Compared> {
	const name = `db-${round}`;
	await timed('db', fill, noise);
	await timed('db', plainDump, name);
	await backup('db');
	const [plainMs, restored] = await inTurn(
		round,
		async () => timed('db', plainLoad, name),
		async () => restore('db'),
	);
	return {plainMs, restored};
}

async function compareFiles({timed, backup, restore, stack}: Yard, round: number, count: number): Promise<Compared> {
	const name = `app-${round}`;
	await stack.exec('app', 'node', '-e', writeFiles, '0', '1', String(count), String(bytesOfFile));
	await timed('app', plainBackup, name);
	await backup('app');
	await timed('app', 'rm -rf /data/*');
	const [plainMs, restored] = await inTurn(
		round,
		async () => timed('app', plainRestore, name),
		async () => restore('app'),
	);
	return {plainMs, restored};
}

export async function benchLoad({rounds, scale}: Size): Promise<Row[]> {
	const yard = await openYard({db: await postgresService()}, []);
	try {
		await until('the database', async () => (await yard.stack.exec('db', ...serverAnswers)) === '', {timeout: 120_000});
		const nothing: Compared[] = [];
		const databases: Compared[] = [];
		for (let round = 1; round <= rounds; round++) {
			await yard.plainRepository('db', `db-${round}`);
			nothing.push(await compareDatabase(yard, round, String(bytesOfNothing)));
			databases.push(await compareDatabase(yard, round, String(Math.round(bytesOfNoise * scale))));
		}

		const megabytes = ((bytesOfNoise * scale) / 1e6).toFixed(0);
		const load = {...times(databases, 'load', 'safety-point'), unit: 'ms', aim: ''} as const;
		return [
			flow(
				{...load, what: `flow of a dump of ${megabytes} MB of noise into a database`, aim: '1.10'},
				times(nothing, 'load', 'safety-point'),
			),
			{...load, what: '  … with start and end'},
			whole(databases),
		];
	} finally {
		await yard.close();
	}
}

export async function benchLoadFiles({rounds, scale}: Size): Promise<Row[]> {
	const yard = await openYard({app: await appService('data')}, ['data']);
	try {
		const files: Compared[] = [];
		const count = Math.round(filesInAll * scale);
		for (let round = 1; round <= rounds; round++) {
			await yard.plainRepository('app', `app-${round}`);
			files.push(await compareFiles(yard, round, count));
		}

		return [
			{...times(files, 'load', 'stop'), what: `restore of ${count} files of ${bytesOfFile / 1000} KB, its load`, unit: 'ms', aim: '1.10'},
			whole(files),
		];
	} finally {
		await yard.close();
	}
}

const times = (compared: readonly Compared[], ...[from, to]: Parameters<Restored['between']>) => ({
	baseline: compared.map(({plainMs}) => plainMs),
	holdfast: compared.map(({restored}) => restored.between(from, to)),
});

const whole = (compared: readonly Compared[]): Row => ({
	what: '  … the whole run',
	baseline: compared.map(({plainMs}) => plainMs),
	holdfast: compared.map(({restored}) => restored.wholeMs),
	unit: 'ms',
});
