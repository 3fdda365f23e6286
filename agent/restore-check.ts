/** What can only be known by asking: whether the servers can take what the point holds. Nothing is changed. */
import type {Engine} from '../docker/engine.ts';
import type {Restoration} from './restore-plan.ts';
import {checkPostgres} from './sources/postgres-restore.ts';

/** All that is wrong, each with its source. */
export async function checkRestoration({sources}: Restoration, engine: Engine): Promise<string[]> {
	const problems = await Promise.all(
		sources.map(async source =>
			source.kind === 'postgres' ? (await checkPostgres(source, engine)).map(problem => `\`${source.name}\`: ${problem}`) : [],
		),
	);
	return problems.flat();
}
