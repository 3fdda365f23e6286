/**
 * The agents of several hosts: those that the configuration names, and all for which a name of Swarm's DNS stands (`tasks.<service>`: one address
 * for each task). One way of finding them, for whoever shows them.
 */
import {resolve4} from 'node:dns/promises';
import {explain} from '../../base/errors.ts';
import type {HostView, StatusView} from '../../base/shapes/targets.ts';
import type {AgentAddress} from '../config/agents.ts';
import {type Client, createClient} from './client.ts';

export interface Host {
	/** As the configuration has it; of those that DNS knows, as each files its snapshots. */
	name: string;
	/** Where it is now: a task that was replaced has another address. */
	client: Client;
}

export interface Roster {
	/** Those that are known by now. One that was known stays, also when DNS knows it no longer: that it is away is to be seen. */
	hosts: () => readonly Host[];
	/** Whether there may be others, so that a target is named with its host. */
	isShared: () => boolean;
	/** Asks DNS again, not more often than every few seconds. Never rejects. */
	refresh: () => Promise<void>;
}

interface RosterOptions {
	/** The addresses of a name; empty where there is none. */
	lookUp?: (name: string) => Promise<string[]>;
	/** What the agent at an address says of itself. */
	greet?: (client: Client) => Promise<{host?: string | undefined}>;
	now?: () => number;
}

/** How long what DNS said holds. */
const freshMs = 10_000;

/** How long an agent may take to say who it is, and how its targets are. */
const greetingMs = 5000;
const answeringMs = 30_000;

const tasks = /^tasks\./;

const lookUpAll = async (name: string): Promise<string[]> => resolve4(name).catch(() => []);

const askWho = async (client: Client): Promise<{host?: string | undefined}> => within(greetingMs, client.about());

/** A host that is unplugged answers nothing at all. */
async function within<Value>(ms: number, answer: Promise<Value>): Promise<Value> {
	const {promise: late, reject} = Promise.withResolvers<never>();
	const timer = setTimeout(() => reject(new Error(`no answer within ${ms / 1000} s`)), ms);
	try {
		return await Promise.race([answer, late]);
	} finally {
		clearTimeout(timer);
	}
}

export function createRoster(
	addresses: readonly AgentAddress[],
	{lookUp = lookUpAll, greet = askWho, now = Date.now}: RosterOptions = {},
): Roster {
	const isNamed = ({url}: AgentAddress) => !tasks.test(new URL(url).hostname);
	const named = addresses.filter(isNamed).map(({name, url, token}): Host => ({name, client: createClient({url, token})}));
	const services = addresses.filter(address => !isNamed(address));
	/** By name, in the order in which they were found. */
	const found = new Map<string, Host>();
	/** What does not answer yet has no name of its own: until it has, it is called by its address. */
	let strangers: Host[] = [];
	let lookedAt = Number.NEGATIVE_INFINITY;
	let looking: Promise<void> | undefined;

	const greetAt = async ({name, url, token}: AgentAddress, address: string) => {
		const at = new URL(url);
		at.hostname = address;
		const client = createClient({url: at.href.replace(/\/$/, ''), token});
		return {name, address, client, said: await greet(client).catch(() => undefined)};
	};

	const look = async (): Promise<void> => {
		// Swarm's DNS now and then says an address twice (moby#28836), or one of a task that is gone (moby#29529).
		const met = await Promise.all(
			services.map(async service => {
				const all = new Set(await lookUp(new URL(service.url).hostname).catch(() => []));
				return Promise.all([...all].toSorted().map(async address => greetAt(service, address)));
			}),
		);
		// DNS itself is away: who did not answer before has not gone.
		if (met.every(({length}) => length === 0)) {
			return;
		}

		strangers = [];
		const taken = new Set<string>();
		for (const {name, address, client, said} of met.flat()) {
			const isKnown = [...found.values()].some(host => host.client.url === client.url);
			const called = said === undefined ? undefined : (said.host ?? `${name}-${address}`);
			if (called === undefined && !isKnown) {
				strangers.push({name: `${name}-${address}`, client});
			} else if (called !== undefined) {
				// Names of hosts are not unique: two that answer are two.
				const host = taken.has(called) ? `${called} (${address})` : called;
				taken.add(host);
				place(host, client);
			}
		}
	};

	const place = (name: string, client: Client): void => {
		const same = found.get(name);
		if (same === undefined) {
			found.set(name, {name, client});
		} else if (same.client.url !== client.url) {
			same.client = client;
		}
	};

	/** Nobody was found at all: the name itself stands for them, and says why it does not answer. */
	const placeholders = services.map(({name, url, token}): Host => ({name, client: createClient({url, token})}));
	return {
		hosts() {
			const all = [...named, ...[...found.values(), ...strangers].toSorted((a, b) => (a.name < b.name ? -1 : 1))];
			return all.length === 0 ? placeholders : all;
		},
		isShared: () => named.length > 1 || services.length > 0,
		async refresh() {
			if (services.length === 0 || (looking === undefined && now() - lookedAt < freshMs)) {
				return;
			}

			looking ??= look().finally(() => {
				lookedAt = now();
				looking = undefined;
			});
			await looking;
		},
	};
}

/** How it is on one host, and why it does not say. Never rejects. */
export async function viewOf({name: host, client}: Host): Promise<HostView> {
	const {url} = client;
	try {
		const [version, targets] = await within(answeringMs, Promise.all([client.version(), client.status()]));
		const count = (is: (status: StatusView) => unknown) => targets.filter(is).length;
		return {
			host,
			url,
			version,
			late: count(({late}) => late !== undefined),
			gone: count(({goneSince}) => goneSince !== undefined),
			problems: count(({problems}) => problems.length > 0),
			bytes: targets.reduce((sum, {lastSuccess}) => sum + (lastSuccess?.bytes ?? 0), 0),
			targets,
		};
	} catch (error) {
		return {host, url, error: explain(error), late: 0, gone: 0, problems: 0, bytes: 0, targets: []};
	}
}
