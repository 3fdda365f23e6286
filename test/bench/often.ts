/** How often a target can be backed up for a day: runs as every five minutes make them, one after the other, of which all points are kept. */

import {appService, writeFiles} from './files.ts';
import {formatTable, type Row, type Size} from './table.ts';
import {makeSqlite} from './whole.ts';
import {openYard} from './yard.ts';

const runsOfDay = 288;

/** Of the first and of the last runs. */
const compared = 10;

interface Often {
	what: string;
	files: number;
	bytesOfFile: number;
}

export const benchOften = async (size: Size): Promise<Row[]> => benchDay({what: '10 MB', files: 60, bytesOfFile: 100_000}, size);
export const benchOftenLarge = async (size: Size): Promise<Row[]> => benchDay({what: '1 GB', files: 1000, bytesOfFile: 1_000_000}, size);
export const benchOftenMany = async (size: Size): Promise<Row[]> =>
	benchDay({what: '50,000 files', files: 50_000, bytesOfFile: 2000}, size);

/** @param scale of the day, not of the data */
async function benchDay({what, files, bytesOfFile}: Often, {scale}: Size): Promise<Row[]> {
	const service = await appService('data');
	const yard = await openYard(
		{
			app: {
				...service,
				labels: {'holdfast.enable': 'true', 'holdfast.volumes': '/data', 'holdfast.sqlite': '/data/app.db', 'holdfast.keep': 'within=1d'},
			},
		},
		['data'],
	);
	try {
		const {stack, backup, agentPeak} = yard;
		// One in a hundred, and one at least, before each run
		const step = Math.min(files, 100);
		const write = async (first: number, every: number) =>
			stack.exec('app', 'node', '-e', writeFiles, String(first), String(every), String(files), String(bytesOfFile));
		await stack.exec('app', 'node', '-e', makeSqlite);
		await write(0, 1);
		const wholeMs: number[] = [];
		const outageMs: number[] = [];
		for (let run = 0; run < Math.max(2 * compared, Math.round(runsOfDay * scale)); run++) {
			await write(run % step, step);
			const {result, ...timed} = await backup('app');
			wholeMs.push(timed.wholeMs);
			outageMs.push(result.quiesceSeconds * 1000);
		}

		const size = async (path: string) => [Number((await stack.exec('holdfast', 'du', '-sb', path)).split('\t')[0])];
		const inFolder = async (path: string) => (await stack.exec('holdfast', 'sh', '-c', 'find "$0" -type f | wc -l', path)).trim();
		console.error(formatTable(['snapshots', 'indexes'], [[await inFolder('/repository/snapshots'), await inFolder('/repository/index')]]));
		const row = (name: string, times: readonly number[]): Row => ({
			what: name,
			baseline: times.slice(0, compared),
			holdfast: times.slice(-compared),
			unit: 'ms',
		});
		return [
			row(`${wholeMs.length} backups of ${what}: the last against the first`, wholeMs),
			row('  … outage', outageMs),
			{what: '  … repository', baseline: [], holdfast: await size('/repository'), unit: 'bytes'},
			{what: '  … state', baseline: [], holdfast: await size('/state'), unit: 'bytes'},
			{what: '  … memory of the agent, at most', baseline: [], holdfast: [await agentPeak()], unit: 'bytes'},
		];
	} finally {
		await yard.close();
	}
}
