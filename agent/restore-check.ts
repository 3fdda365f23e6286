/** What can only be known by asking: whether the servers can take what the point holds. Nothing is changed. */
import type {Restoration} from './restore-plan.ts';
import {type CheckContext, checkPostgres, type Room} from './sources/postgres-check.ts';

/** All that is wrong, each with its source. */
export async function checkRestoration(
	{sources}: Pick<Restoration, 'sources'>,
	{marginBytes, ...context}: CheckContext & {marginBytes: number},
): Promise<string[]> {
	const databases = sources.filter(source => source.kind === 'postgres');
	const checked = await Promise.all(databases.map(async source => ({source, ...(await checkPostgres(source, context))})));
	return [
		...checked.flatMap(({source, problems}) => problems.map(problem => `\`${source.name}\`: ${problem}`)),
		...roomProblems(
			checked.flatMap(({room}) => room ?? []),
			marginBytes,
		),
	];
}

/** Several databases of one server need room together. */
export function roomProblems(rooms: readonly Room[], marginBytes: number): string[] {
	return [...Map.groupBy(rooms, ({container}) => container)].flatMap(([container, shares]) => {
		const own = shares.reduce((sum, {neededBytes}) => sum + neededBytes, 0);
		const free = Math.min(...shares.map(({freeBytes}) => freeBytes));
		return free >= own + marginBytes
			? []
			: [
					`there is too little room in container \`${container}\`: ${gibibytes(own + marginBytes)} are needed (the databases' own ${gibibytes(own)} and ${gibibytes(marginBytes)} more), and ${shares[0]?.folder} has ${gibibytes(free)} left`,
				];
	});
}

const gibibytes = (bytes: number) => `${(bytes / 1024 ** 3).toFixed(2)} GiB`;
