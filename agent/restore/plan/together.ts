/** The targets of a project, restored as one: loaded, stopped, swapped and started together. Pure. */

import {dependentsFirst} from '../../../docker/order.ts';
import type {Target} from '../../targets/target.ts';
import {inOrder, type Restoration} from './plan.ts';
import {planStops, type Surroundings} from './stops.ts';

interface Part {
	target: Target;
	restoration: Restoration;
	problems: readonly string[];
}

/** With any problem nothing may be restored. @param without targets of the project that have no point @param gone targets that have points, and are of it no more */
export function planTogether(
	project: string,
	parts: readonly [Part, ...Part[]],
	{surroundings, without, gone}: {surroundings: Surroundings; without: readonly string[]; gone: readonly string[]},
): {restoration: Restoration; problems: readonly string[]} {
	const order = dependentsFirst(
		parts.map(({target}) => target.members[0].container),
		surroundings.containers,
	).toReversed();
	const rank = ({target}: Part) => order.indexOf(target.members[0].container);
	const [first, ...others] = parts.toSorted((a, b) => rank(a) - rank(b)) as [Part, ...Part[]];
	const sorted = [first, ...others];
	const sources = inOrder(sorted.flatMap(({restoration}) => restoration.sources));
	const stops = planStops(
		sorted.map(({target}) => target),
		surroundings,
		sources,
	);
	const left = [
		...without.map(name => `\`${name}\` has no restore point by then, and is left as it is`),
		...gone.map(
			name =>
				`\`${name}\` has restore points and is not there any more, so nothing of it is restored (if it has a new name: holdfast restore NEW --from-target ${name})`,
		),
	];
	const own = sorted.flatMap(({restoration}) => restoration.acknowledge?.split('\n') ?? []);
	const acknowledge = [...new Set([...own, ...stops.acknowledge])];
	return {
		restoration: {
			target: project,
			points: [first.restoration.points[0], ...others.map(({restoration}) => restoration.points[0])],
			sources,
			stop: stops.stop,
			stopLimitMs: Math.min(...sorted.map(({restoration}) => restoration.stopLimitMs)),
			hooks: sorted.flatMap(({restoration}) => restoration.hooks),
			acknowledge: acknowledge.join('\n') || undefined,
			warnings: [
				...new Set([...left, ...sorted.flatMap(({restoration}) => restoration.warnings), ...stops.acknowledge, ...stops.warnings]),
			],
		},
		problems: [...new Set([...sorted.flatMap(part => part.problems), ...stops.problems])],
	};
}
