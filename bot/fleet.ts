/** The agents that the bot talks to. With several, a target is `host:project/service`. */

import {type Client, createClient} from '../agent/api/client.ts';
import type {AgentAddress} from '../agent/config/agents.ts';
import {NotFoundError} from '../base/errors.ts';
import {nearest} from '../base/reading/nearest.ts';
import type {TargetView} from '../base/shapes/targets.ts';

export interface Host {
	name: string;
	client: Client;
}

export interface Placed {
	host: Host;
	/** As its agent names it. */
	target: string;
	/** As people read it here. */
	label: string;
}

export interface Fleet {
	hosts: readonly [Host, ...Host[]];
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

export function createFleet(addresses: readonly [AgentAddress, ...AgentAddress[]]): Fleet {
	const [first, ...rest] = addresses.map(({name, url, token}): Host => ({name, client: createClient({url, token})}));
	const hosts: [Host, ...Host[]] = [first as Host, ...rest];
	const label = (host: string, target: string) => (hosts.length === 1 ? target : `${host}:${target}`);

	const targets: Fleet['targets'] = async () => {
		const answers = await Promise.all(hosts.map(async host => ({host, views: await host.client.targets().catch(() => [])})));
		return answers.flatMap(({host, views}) => views.map(view => ({host, target: view.target, label: label(host.name, view.target), view})));
	};

	return {
		hosts,
		label,
		targets,
		host(name) {
			const host = hosts.find(candidate => candidate.name === name);
			if (host === undefined) {
				throw new NotFoundError(`there is no host ${name}`);
			}

			return host;
		},
		async find(text) {
			const all = await targets();
			const exact = all.filter(placed => placed.label === text);
			const found = exact.length > 0 ? exact : all.filter(({target}) => target === text);
			if (found.length === 1) {
				return found[0] as Placed;
			}

			if (found.length > 1) {
				throw new NotFoundError(`${text} is a target of several hosts`, {
					hint: `name one: ${found.map(placed => placed.label).join(', ')}`,
				});
			}

			const meant =
				all.length === 0
					? undefined
					: nearest(
							text,
							all.map(placed => placed.label),
						);
			throw new NotFoundError(`there is no target ${text}`, {hint: meant === undefined ? '/backup lists them' : `did you mean ${meant}?`});
		},
		async touched({host, target, label: own}) {
			const all = await host.client.targets();
			const within = all.filter(view => view.target === target || view.target.startsWith(`${target}/`));
			return [...new Set([own, ...within.map(view => label(host.name, view.target))])];
		},
		async ofRun(run) {
			for (const host of hosts) {
				const view = await host.client.run(run).catch((error: unknown) => {
					if (!(error instanceof NotFoundError) && hosts.length === 1) {
						throw error;
					}

					return undefined;
				});
				if (view !== undefined) {
					return {host, target: view.target, label: label(host.name, view.target), operation: view.operation};
				}
			}

			throw new NotFoundError(`there is no run ${run}`, {hint: '/backup history lists them'});
		},
	};
}
