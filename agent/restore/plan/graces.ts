/** Who may take long to stop: one that ignores the signal keeps all the others down meanwhile, so a person knows before. */
import {duration} from '../../../base/units.ts';
import type {Engine} from '../../../docker/engine.ts';
import {unlessGone} from '../../../docker/refusal.ts';
import type {Restoration} from './plan.ts';

/** The engine's own grace period is 10 s: what is asked for beyond this was asked for by a person. */
const remarkableSeconds = 30;

export async function graceWarnings(
	{stop, stopLimitMs}: Pick<Restoration, 'stop' | 'stopLimitMs'>,
	engine: Pick<Engine, 'inspect'>,
): Promise<string[]> {
	const found = await Promise.all(stop.map(async ({container: {id}}) => engine.inspect(id).catch(unlessGone)));
	return found.flatMap(details => {
		const grace = details === undefined ? 0 : details.stopTimeoutSeconds < 0 ? Number.POSITIVE_INFINITY : details.stopTimeoutSeconds;
		return details === undefined || grace <= remarkableSeconds
			? []
			: [
					`container \`${details.name}\` may take up to ${duration(Math.min(grace, stopLimitMs / 1000))} to stop, and the application is down meanwhile${
						grace * 1000 > stopLimitMs ? '; then it is killed' : ''
					}`,
				];
	});
}
