/** What was replaced → who stands still while it is put back. Pure. */
import {quote} from '../../base/reading/quote.ts';
import type {Container, Mount} from '../../docker/container.ts';
import {dependentsFirst} from '../../docker/order.ts';
import {inside} from '../../docker/storage.ts';
import {outageLimitOf} from '../plan/plan.ts';
import type {PlannedHook} from '../plan/planned.ts';
import {kindOf} from '../sources/kinds.ts';
import {ownIn, whyOwn} from '../sources/objections.ts';
import {keyOf, type Replaced} from '../sources/restoring.ts';
import type {Target} from '../targets/target.ts';
import {planHooks} from './plan/hooks.ts';
import {placeOf} from './plan/places.ts';
import {planStops, type Stops, type Surroundings} from './plan/stops.ts';

export interface UndoPlan {
	/** By `keyOf`: where what was replaced belongs now. */
	containers: ReadonlyMap<string, Container>;
	/** What is written. */
	mounts: readonly Mount[];
	/** Those that ran before the restore and do not now are among them: they are started with the others. */
	stop: Stops['stop'];
	/** Longest time that all of them together get to stop. */
	stopLimitMs: number;
	hooks: readonly PlannedHook[];
	problems: readonly string[];
	/** Folders of Holdfast's own that came into what is put back since: nothing may be put back, whatever a person says. */
	strangers: readonly string[];
}

/** @param targets all that the replacements name */
export function planUndo(
	targets: ReadonlyMap<string, Target>,
	surroundings: Surroundings,
	replacements: ReadonlyArray<Pick<Replaced, 'target' | 'source' | 'beside' | 'spared'>>,
	{target: runTarget, ran}: {target: string; ran: readonly string[]},
): UndoPlan {
	const places = replacements.map(replacement => {
		const target = targets.get(replacement.target ?? runTarget);
		return {
			key: keyOf(replacement),
			spared: replacement.spared ?? [],
			place:
				target === undefined
					? `there is no target \`${replacement.target ?? runTarget}\``
					: placeOf(target, {source: replacement.source, details: {}}),
		};
	});
	const found = places.flatMap(({place, ...rest}) => (typeof place === 'string' ? [] : [{...rest, place}]));
	const sources = found.map(({place}) => place);
	const agent = surroundings.containers.find(({id}) => id === surroundings.self);
	const strangers = found.flatMap(({place: {name, kind, mount}, spared}) =>
		mount === undefined || !kindOf(kind).isTree
			? []
			: (ownIn(mount, agent) ?? [''])
					.filter(path => !spared.includes(path))
					.map(
						path =>
							`\`${name}\`: ${quote(inside(mount.path, path))} is ${whyOwn} since the restore, and what is put back could take its place: move it elsewhere first`,
					),
	);
	// Nobody is known to use what was restored beside the live database.
	const isBeside = replacements.some(({beside}) => beside);
	const {stop, problems} = planStops([...targets.values()], surroundings, isBeside ? [] : sources);
	const asleep = surroundings.containers.filter(({name, state}) => ran.includes(name) && (state === 'exited' || state === 'created'));
	const reasons = new Map(stop.map(({container, reason}) => [container.id, reason]));
	const ordered = dependentsFirst([...stop.map(({container}) => container), ...asleep], surroundings.containers);
	const still = ordered.map(container => ({
		container,
		action: 'stop' as const,
		reason: reasons.get(container.id) ?? 'ran before the restore',
	}));
	return {
		containers: new Map(found.map(({key, place}) => [key, place.container])),
		mounts: sources.flatMap(({mount}) => mount ?? []),
		stop: still,
		stopLimitMs: Math.min(...[...targets.values()].map(outageLimitOf)),
		hooks: isBeside ? [] : planHooks([...targets.values()], still).hooks,
		problems: [...places.flatMap(({place}) => (typeof place === 'string' ? [place] : [])), ...problems],
		strangers,
	};
}
