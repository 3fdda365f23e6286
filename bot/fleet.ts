/** The agents that the bot talks to. With several, a target is `host:project/service`. */

import type {Host, Roster} from '../agent/api/fleet.ts';
import {NotFoundError} from '../base/errors.ts';
import {nearest} from '../base/reading/nearest.ts';
import type {TargetView} from '../base/shapes/targets.ts';

export type {Host} from '../agent/api/fleet.ts';

export interface Placed {
	host: Host;
	/** As its agent names it. */
	target: string;
	/** As people read it here. */
	label: string;
}

export interface Fleet {
	/** Those that are known by now. */
	readonly hosts: readonly [Host, ...Host[]];
	/** Looks for more where a name stands for several. Never rejects. */
	refresh: () => Promise<void>;
	label: (host: string, target: string) => string;
	/** @throws {NotFoundError} */
	host: (name: string | undefined) => Host;
	/** Those of the agents that answer. */
	targets: () => Promise<Array<Placed & {view: TargetView}>>;
	/** @throws {NotFoundError} with the nearest name */
	find: (text: string) => Promise<Placed>;
	/** Labels of the targets that a run on the target, which may be a project, touches. */
	touched: (placed: Placed) => Promise<string[]>;
	/** Whose run it is. @throws {NotFoundError} */
	ofRun: (run: string) => Promise<Placed & {operation: string}>;
}

/** @param roster of one address at least */
export function createFleet(roster: Roster): Fleet {
	const all = () => roster.hosts() as readonly [Host, ...Host[]];
	const label = (host: string, target: string) => (roster.isShared() ? `${host}:${target}` : target);

	const targets: Fleet['targets'] = async () => {
		await roster.refresh();
		const answers = await Promise.all(all().map(async host => ({host, views: await host.client.targets().catch(() => [])})));
		return answers.flatMap(({host, views}) => views.map(view => ({host, target: view.target, label: label(host.name, view.target), view})));
	};

	return {
		get hosts() {
			return all();
		},
		refresh: roster.refresh,
		label,
		targets,
		host(name) {
			const host = all().find(candidate => candidate.name === name);
			if (host === undefined) {
				throw new NotFoundError(`there is no host ${name}`);
			}

			return host;
		},
		async find(text) {
			const present = await targets();
			const exact = present.filter(placed => placed.label === text);
			const found = exact.length > 0 ? exact : present.filter(({target}) => target === text);
			if (found.length === 1) {
				return found[0] as Placed;
			}

			if (found.length > 1) {
				throw new NotFoundError(`${text} is a target of several hosts`, {
					hint: `name one: ${found.map(placed => placed.label).join(', ')}`,
				});
			}

			const meant =
				present.length === 0
					? undefined
					: nearest(
							text,
							present.map(placed => placed.label),
						);
			throw new NotFoundError(`there is no target ${text}`, {hint: meant === undefined ? '/backup lists them' : `did you mean ${meant}?`});
		},
		async touched({host, target, label: own}) {
			const present = await host.client.targets();
			const within = present.filter(view => view.target === target || view.target.startsWith(`${target}/`));
			return [...new Set([own, ...within.map(view => label(host.name, view.target))])];
		},
		async ofRun(run) {
			const asked = all().map(async host => {
				const view = await host.client.run(run).catch((error: unknown) => {
					if (!(error instanceof NotFoundError) && all().length === 1) {
						throw error;
					}

					return undefined;
				});
				return view && {host, target: view.target, label: label(host.name, view.target), operation: view.operation};
			});
			const found = (await Promise.all(asked)).find(one => one !== undefined);
			if (found !== undefined) {
				return found;
			}

			throw new NotFoundError(`there is no run ${run}`, {hint: '/backup history lists them'});
		},
	};
}
