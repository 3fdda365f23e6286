/** The agents that the bot talks to. With several, a target is `host:project/service`. */

import {type Host, type Roster, unlessHung} from '../agent/api/fleet.ts';
import {explain, NotFoundError} from '../base/errors.ts';
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

/** A host whose agent did not answer. */
export interface Silent {
	host: string;
	why: string;
}

export interface Fleet {
	/** Those that are known by now. */
	readonly hosts: readonly [Host, ...Host[]];
	/** Not longer than others should wait for one that hangs. @throws whatever its agent says */
	ask: <Value>(host: Host, answer: Promise<Value>) => Promise<Value>;
	/** Looks for more where a name stands for several. Never rejects. */
	refresh: () => Promise<void>;
	label: (host: string, target: string) => string;
	/** @throws {NotFoundError} */
	host: (name: string | undefined) => Host;
	/** Those of the agents that answer, and which do not. */
	targets: () => Promise<{targets: Array<Placed & {view: TargetView}>; silent: Silent[]}>;
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

	// A single one may be as slow as its host is: nobody else waits for it.
	const ask: Fleet['ask'] = async ({client}, answer) => (all().length === 1 ? answer : unlessHung(client, answer));

	const targets: Fleet['targets'] = async () => {
		await roster.refresh();
		const silent: Silent[] = [];
		const answers = await Promise.all(
			all().map(async host => ({
				host,
				views: await ask(host, host.client.targets()).catch((error: unknown): TargetView[] => {
					silent.push({host: host.name, why: explain(error)});
					return [];
				}),
			})),
		);
		const targets = answers.flatMap(({host, views}) =>
			views.map(view => ({host, target: view.target, label: label(host.name, view.target), view})),
		);
		return {targets, silent};
	};

	return {
		get hosts() {
			return all();
		},
		refresh: roster.refresh,
		ask,
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
			const {targets: present, silent} = await targets();
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
			throw new NotFoundError(`there is no target ${text}${exceptOf(silent)}`, {
				hint: meant === undefined ? '/backup lists them' : `did you mean ${meant}?`,
			});
		},
		async touched({host, target, label: own}) {
			const present = await host.client.targets();
			const within = present.filter(view => view.target === target || view.target.startsWith(`${target}/`));
			return [...new Set([own, ...within.map(view => label(host.name, view.target))])];
		},
		async ofRun(run) {
			const asked = all().map(async host => {
				const {target, operation} = await ask(host, host.client.run(run));
				return {host, target, label: label(host.name, target), operation};
			});
			// Who has it is not kept waiting for by one that hangs.
			return Promise.any(asked).catch(({errors}: AggregateError) => {
				const away = errors.flatMap((error, index) =>
					error instanceof NotFoundError ? [] : [{host: all()[index]?.name ?? '', why: explain(error)}],
				);
				throw all().length === 1 && away.length === 1
					? errors[0]
					: new NotFoundError(`there is no run ${run}${exceptOf(away)}`, {hint: '/backup history lists them'});
			});
		},
	};
}

/** It may be on one that does not answer. */
const exceptOf = (silent: readonly Silent[]): string =>
	silent.length === 0 ? '' : `, as far as is known: ${silent.map(({host, why}) => `${host} does not answer (${why})`).join('; ')}`;
