/** How often a little target can be backed up for a day: as many runs as every five minutes make, one after the other, of which all points are kept. */

import {appService, writeFiles} from './files.ts';
import {formatTable, type Row, type Size} from './table.ts';
import {makeSqlite} from './whole.ts';
import {openYard} from './yard.ts';

const runsOfDay = 288;
const files = 60;
const bytesOfFile = 100_000;

/** Of the first and of the last runs. */
const compared = 10;

export async function benchOften({scale}: Size): Promise<Row[]> {
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
		await stack.exec('app', 'node', '-e', makeSqlite);
		await stack.exec('app', 'node', '-e', writeFiles, '0', '1', String(files), String(bytesOfFile));
		const wholeMs: number[] = [];
		const outageMs: number[] = [];
		for (let run = 0; run < Math.max(2 * compared, Math.round(runsOfDay * scale)); run++) {
			await stack.exec('app', 'node', '-e', writeFiles, String(run % files), String(files), String(files), String(bytesOfFile));
			const {result, ...timed} = await backup('app');
			wholeMs.push(timed.wholeMs);
			outageMs.push(result.quiesceSeconds * 1000);
		}

		const size = async (path: string) => [Number((await stack.exec('holdfast', 'du', '-sb', path)).split('\t')[0])];
		const inFolder = async (path: string) => (await stack.exec('holdfast', 'sh', '-c', 'find "$0" -type f | wc -l', path)).trim();
		console.error(formatTable(['snapshots', 'indexes'], [[await inFolder('/repository/snapshots'), await inFolder('/repository/index')]]));
		const row = (what: string, times: readonly number[]): Row => ({
			what,
			baseline: times.slice(0, compared),
			holdfast: times.slice(-compared),
			unit: 'ms',
		});
		return [
			row(`${wholeMs.length} backups of 10 MB: the last against the first`, wholeMs),
			row('  … outage', outageMs),
			{what: '  … repository', baseline: [], holdfast: await size('/repository'), unit: 'bytes'},
			{what: '  … state', baseline: [], holdfast: await size('/state'), unit: 'bytes'},
			{what: '  … memory of the agent, at most', baseline: [], holdfast: [await agentPeak()], unit: 'bytes'},
		];
	} finally {
		await yard.close();
	}
}
