/** What can only be known by asking: whether the servers can take what the point holds, and the containers can be stopped. Nothing is changed. */

import {explain} from '../../../base/errors.ts';
import {inTurns} from '../../../base/in-turns.ts';
import {room} from '../../../base/units.ts';
import type {Container} from '../../../docker/container.ts';
import type {Engine} from '../../../docker/engine.ts';
import {statusOf} from '../../../docker/refusal.ts';
import type {Manifest} from '../../repository/manifest.ts';
import type {Restic} from '../../restic/restic.ts';
import {kindOf} from '../../sources/kinds.ts';
import type {ServerRoom} from '../../sources/room.ts';
import {choose} from './choice.ts';
import type {Restoration} from './plan.ts';
import {underServers} from './under.ts';

/** All that is wrong, each with its source. */
export async function checkRestoration(
	{sources, stop}: Pick<Restoration, 'sources' | 'stop'>,
	{marginBytes, restic, engine, containers}: {marginBytes: number; restic: Restic; engine: Engine; containers: readonly Container[]},
): Promise<string[]> {
	const checked = await Promise.all(
		sources.map(async source => ({source, ...(await kindOf(source.kind).check?.(source, {engine, restic}))})),
	);
	return [
		...checked.flatMap(({source, problems = []}) => problems.map(problem => `\`${source.name}\`: ${problem}`)),
		...roomProblems(
			checked.flatMap(({room}) => room ?? []),
			marginBytes,
		),
		...(await underServers({sources, stop, containers}, engine)),
		...(await missingFiles(sources, restic)),
		...(await vanishing(stop, engine)),
	];
}

/** Single files that `--only` names, and the point does not have. */
async function missingFiles(sources: Restoration['sources'], restic: Restic): Promise<string[]> {
	const problems: string[] = [];
	for (const {name, stored, paths = []} of sources) {
		for (const path of paths) {
			if ((await restic.find(stored.snapshot, stored.path + path)) === undefined) {
				problems.push(`\`${name}\` has no \`${path}\` in this point`);
			}
		}
	}

	return problems;
}

/** Snapshots whose folders the repository has lost. Their content is read when it is loaded, before anything is touched. @param restic without a cache, which would know them still */
export async function unreadable(sources: Restoration['sources'], restic: Restic): Promise<string[]> {
	const problems = await inTurns(sources, async ({name, stored}) => {
		const why = await restic.find(stored.snapshot, stored.path).then(
			found => (found === undefined ? 'it does not hold what the manifest says' : undefined),
			(error: unknown) => explain(error),
		);
		return why === undefined ? [] : [`the snapshot of \`${name}\` cannot be read: ${why}`];
	});
	return problems.flat();
}

async function vanishing(stop: Restoration['stop'], engine: Engine): Promise<string[]> {
	const details = await Promise.all(stop.map(async ({container}) => engine.inspect(container.id)));
	return details
		.filter(({autoRemove}) => autoRemove)
		.map(
			({name}) =>
				`container \`${name}\` was started with --rm and would be gone when it is stopped: stop it by hand, or start it without --rm`,
		);
}

/** Several databases of one server need room together. */
export function roomProblems(rooms: readonly ServerRoom[], marginBytes: number): string[] {
	return [...Map.groupBy(rooms, ({container}) => container)].flatMap(([container, shares]) => {
		const own = shares.reduce((sum, {neededBytes}) => sum + neededBytes, 0);
		const free = Math.min(...shares.map(({freeBytes}) => freeBytes));
		return free >= own + marginBytes
			? []
			: [
					`there is too little room in container \`${container}\`: ${room(own + marginBytes)} are needed (the databases' own ${room(own)} and ${room(marginBytes)} more), and ${shares[0]?.folder} has ${room(free)} left`,
				];
	});
}

/** Of the single files that `--only` names: those that are not there now, each as its source and path. */
export async function missingNow(
	manifest: Manifest,
	{only, container, engine}: {only: readonly string[]; container: (source: string) => string | undefined; engine: Engine},
): Promise<ReadonlySet<string>> {
	const missing = new Set<string>();
	for (const {stored, paths = []} of choose(manifest, only).chosen) {
		const id = container(stored.source);
		const mount = String(stored.details.path ?? '');
		for (const path of id === undefined ? [] : paths) {
			const isGone = await engine.stat(id ?? '', mount + path).then(
				() => false,
				(error: unknown) => statusOf(error) === 404,
			);
			if (isGone) {
				missing.add(stored.source + path);
			}
		}
	}

	return missing;
}
