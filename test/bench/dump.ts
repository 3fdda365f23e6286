/** How fast a dump reaches the repository: by the dump worker, and by docker exec through the agent, against the same pipe inside the database's container. */
import {until} from '../support/until.ts';
import {flow, type Row, type Size} from './table.ts';
import {openYard, postgresService, serverAnswers, type Yard} from './yard.ts';

/** What hardly can be compressed, new each time, so that no measurement finds its blocks in the repository. */
export const fill = `psql --username=postgres --dbname=bench --quiet --set=ON_ERROR_STOP=1 <<END
drop table if exists noise;
create table noise (line text not null);
alter table noise alter line set storage external;
begin;
copy noise from program 'head -c $1 /dev/urandom | base64 -w 1000';
commit;
checkpoint;
END`;

export const plainDump =
	'pg_dump --username=postgres -Fc -Z0 bench | restic --repo="/plain/$1" --quiet backup --stdin --stdin-filename=bench';

const bytesOfNoise = 600_000_000;

/** So little that what it takes is the start and the end alone. */
export const bytesOfNothing = 100_000;

async function plain({timed}: Yard, round: number, noise: string): Promise<number> {
	await timed('worker', fill, noise);
	return timed('worker', plainDump, `dump-${round}`);
}

interface Dumped {
	storeMs: number;
	wholeMs: number;
	bytes: number;
}

async function ours({timed, backup}: Yard, service: string, noise: string): Promise<Dumped> {
	await timed(service, fill, noise);
	const {between, wholeMs, result} = await backup(service);
	return {storeMs: between('store', 'publish'), wholeMs, bytes: result.sources[0]?.bytes ?? 0};
}

interface Compared {
	plainMs: number;
	worker: Dumped;
	exec: Dumped;
}

const compare = async (yard: Yard, round: number, noise: string): Promise<Compared> => ({
	plainMs: await plain(yard, round, noise),
	worker: await ours(yard, 'worker', noise),
	exec: await ours(yard, 'exec', noise),
});

export async function benchDump({rounds, scale}: Size): Promise<Row[]> {
	const yard = await openYard(
		{
			worker: await postgresService(),
			// The dump worker cannot find its way into a container that shares the host's processes.
			exec: await postgresService({pid: 'host'}),
		},
		[],
	);
	try {
		for (const service of ['worker', 'exec']) {
			await until(`the database of ${service}`, async () => (await yard.stack.exec(service, ...serverAnswers)) === '', {timeout: 120_000});
		}

		const tiny: Compared[] = [];
		const large: Compared[] = [];
		for (let round = 1; round <= rounds; round++) {
			await yard.plainRepository('worker', `dump-${round}`);
			tiny.push(await compare(yard, round, String(bytesOfNothing)));
			large.push(await compare(yard, round, String(Math.round(bytesOfNoise * scale))));
		}

		const times = (compared: readonly Compared[], of: (compared: Compared) => number) => ({
			baseline: compared.map(({plainMs}) => plainMs),
			holdfast: compared.map(of),
		});
		const row = (what: string, of: (compared: Compared) => number, aim = ''): Row => ({what, ...times(large, of), unit: 'ms', aim});
		const flowOf = (what: string, of: (compared: Compared) => number, aim = ''): Row => flow(row(what, of, aim), times(tiny, of));
		const size = `${((large[0]?.worker.bytes ?? 0) / 1e6).toFixed(0)} MB`;
		return [
			flowOf(`flow of a dump of ${size} by the dump worker`, ({worker}) => worker.storeMs, '1.10'),
			row('  … with start and end', ({worker}) => worker.storeMs),
			row('  … the whole run', ({worker}) => worker.wholeMs),
			flowOf('the same through docker exec', ({exec}) => exec.storeMs),
			row('  … with start and end', ({exec}) => exec.storeMs),
			row('  … the whole run', ({exec}) => exec.wholeMs),
			{
				what: 'memory of the agent at its peak',
				baseline: [256 * 1024 * 1024],
				holdfast: [await yard.agentPeak()],
				unit: 'bytes',
				aim: '1.00',
			},
		];
	} finally {
		await yard.close();
	}
}
