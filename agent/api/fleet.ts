/**
 * The agents of several hosts: those that the configuration names, and all for which a name of Swarm's DNS stands (`tasks.<service>`: one address
 * for each task). One way of finding them, for whoever shows them.
 */
import {resolve4, resolve6} from 'node:dns/promises';
import {isIPv6} from 'node:net';
import {explanation, RunError} from '../../base/errors.ts';
import type {HostView, StatusView} from '../../base/shapes/targets.ts';
import {duration} from '../../base/units.ts';
import type {AgentAddress} from '../config/agents.ts';
import {type About, type Client, createClient} from './client.ts';

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
	greet?: (client: Client) => Promise<Pick<About, 'host' | 'agent'>>;
	now?: () => number;
}

/** How long what DNS said holds. */
const freshMs = 10_000;

/** How long an agent may take to say who it is, and anything else that it knows: others wait for it, where it says who it is. */
const greetingMs = 5000;
const answerMs = 15_000;

/** Who answers within that is not asked who it is. */
const promptMs = 1000;

const tasks = /^tasks\./;

/** Of a task that has both, one: it is one agent. */
const lookUpAll = async (name: string): Promise<string[]> => {
	const four = await resolve4(name).catch(() => []);
	return four.length > 0 ? four : resolve6(name).catch(() => []);
};

const askWho = async (client: Client) => within(greetingMs, client.about());

/** A host that is unplugged answers nothing at all. */
export async function within<Value>(ms: number, answer: Promise<Value>): Promise<Value> {
	const {promise: late, reject} = Promise.withResolvers<never>();
	const timer = setTimeout(() => reject(new RunError(`no answer within ${ms / 1000} s`, {hint: 'it hangs, or its host does'})), ms);
	try {
		return await Promise.race([answer, late]);
	} finally {
		clearTimeout(timer);
	}
}

/**
 * What is asked of one agent while others wait for its answer: who says nothing for a second is asked who it is, too, which takes it no time; who does
 * not say that either hangs, and nobody waits for the rest. @throws {RunError} and whatever the agent says
 */
export async function unlessHung<Value>(client: Pick<Client, 'about'>, answer: Promise<Value>): Promise<Value> {
	const {promise: late, reject} = Promise.withResolvers<never>();
	const timer = setTimeout(() => within(greetingMs, client.about()).catch(reject), promptMs);
	try {
		return await Promise.race([answer, late]);
	} finally {
		clearTimeout(timer);
	}
}

type Said = Pick<About, 'host' | 'agent'>;

/** Who is at an address, and what it said of itself. */
interface Met extends Host {
	address: string;
	said: Said | undefined;
}

export function createRoster(
	addresses: readonly AgentAddress[],
	{lookUp = lookUpAll, greet = askWho, now = Date.now}: RosterOptions = {},
): Roster {
	const isNamed = ({url}: AgentAddress) => !tasks.test(new URL(url).hostname);
	const named = addresses.filter(isNamed).map(({name, url, token}): Host => ({name, client: createClient({url, token, answerMs})}));
	const services = addresses.filter(address => !isNamed(address));
	/** By name, in the order in which they were found; with the agent's id, where it says one. */
	const found = new Map<string, Host & {agent: string | undefined}>();
	/** What does not answer yet has no name of its own: until it has, it is called by its address. */
	let strangers: Host[] = [];
	let lookedAt = Number.NEGATIVE_INFINITY;
	let looking: Promise<void> | undefined;

	const greetAt = async ({name, url, token}: AgentAddress, address: string): Promise<Met> => {
		const at = new URL(url);
		at.hostname = isIPv6(address) ? `[${address}]` : address;
		const client = createClient({url: at.href.replace(/\/$/, ''), token, answerMs});
		return {name, address, client, said: await greet(client).catch(() => undefined)};
	};

	const look = async (): Promise<void> => {
		// Swarm's DNS now and then says an address twice (moby#28836), or one of a task that is gone (moby#29529).
		const all = await Promise.all(
			services.map(async service => {
				const all = new Set(await within(greetingMs, lookUp(new URL(service.url).hostname)).catch(() => []));
				return Promise.all([...all].toSorted().map(async address => greetAt(service, address)));
			}),
		);
		// DNS itself is away: who did not answer before has not gone.
		if (all.every(({length}) => length === 0)) {
			return;
		}

		strangers = [];
		const met = all.flat();
		for (const {name, address, client, said} of met) {
			const isKnown = [...found.values()].some(host => host.client.url === client.url);
			if (said === undefined && !isKnown) {
				strangers.push({name: `${name}-${address}`, client});
			} else if (said !== undefined) {
				place(nameOf({name, address, said}, met), client, said.agent);
			}
		}
	};

	/**
	 * Names of hosts are not unique, and who orders something for a name must reach who had it: of two that answer by one name neither is called by it
	 * alone, nor is who has it now and is another agent than the one that had it.
	 */
	const nameOf = ({name, address, said: {host, agent}}: {name: string; address: string; said: Said}, met: readonly Met[]): string => {
		const called = host ?? `${name}-${address}`;
		const isShared = met.filter(({said}) => said?.host === host).length > 1 || named.some(other => other.name === called);
		const before = found.get(called);
		const isAnother = before !== undefined && agent !== undefined && before.agent !== undefined && before.agent !== agent;
		if (isShared) {
			found.delete(called);
		}

		return host !== undefined && (isShared || isAnother) ? `${called} (${agent?.slice(0, 8) ?? address})` : called;
	};

	const place = (name: string, client: Client, agent: string | undefined): void => {
		const same = found.get(name);
		if (same === undefined) {
			found.set(name, {name, client, agent});
		} else {
			same.agent ??= agent;
			if (same.client.url !== client.url) {
				same.client = client;
			}
		}
	};

	/** Nobody was found at all: the name itself stands for them, and says why it does not answer. */
	const placeholders = services.map(({name, url, token}): Host => ({name, client: createClient({url, token, answerMs})}));
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
export async function viewOf({name: host, client}: Host, now: () => number = Date.now): Promise<HostView> {
	const {url} = client;
	try {
		const asked = now();
		// Who hangs does not say who it is either: nobody waits longer for that.
		const [about, targets] = await Promise.all([within(greetingMs, client.about()), client.status()]);
		assertUnderstood(url, about, targets);
		const {version, agent, time} = about;
		const count = (is: (status: StatusView) => unknown) => targets.filter(is).length;
		return {
			host,
			url,
			version,
			...(agent === undefined ? {} : {agent}),
			...clockOf(time, asked, now()),
			late: count(({late}) => late !== undefined),
			gone: count(({goneSince}) => goneSince !== undefined),
			problems: count(({problems}) => problems.length > 0),
			bytes: targets.reduce((sum, {lastSuccess}) => sum + (lastSuccess?.bytes ?? 0), 0),
			targets,
		};
	} catch (error) {
		const {message, hint} = explanation(error);
		const why = hint === undefined ? message : `${message} (${hint})`;
		return {host, url, error: why, late: 0, gone: 0, problems: 0, bytes: 0, targets: []};
	}
}

/** Another program may answer in JSON, too, and an agent of another version in other shapes. @throws {RunError} */
function assertUnderstood(url: string, {version}: Partial<About>, targets: readonly StatusView[]): void {
	const isKnown = Array.isArray(targets) && targets.every(({target, problems}) => typeof target === 'string' && Array.isArray(problems));
	if (typeof version !== 'string' || !isKnown) {
		throw new RunError(
			`what answers at ${url} is ${typeof version === 'string' ? `Holdfast ${version}, and tells of its targets what this version does not understand` : 'no agent of Holdfast'}`,
			{hint: typeof version === 'string' ? 'bring both to one version' : 'give the address of the agent itself'},
		);
	}
}

/** What networks and schedules bear. */
const skewMs = 2 * 60_000;

/** It said its time at some moment between the two. */
function clockOf(time: string | undefined, asked: number, answered: number): Pick<HostView, 'clockAheadSeconds'> {
	const there = Date.parse(time ?? '');
	const ahead = there > answered ? there - answered : there < asked ? there - asked : 0;
	return Math.abs(ahead) > skewMs ? {clockAheadSeconds: Math.round(ahead / 1000)} : {};
}

/** What a person should know of the hosts beside their targets. Pure. */
export function remarksOn(hosts: readonly HostView[]): Array<{host: string; text: string}> {
	const versions = new Set(hosts.flatMap(({version}) => version ?? []));
	return hosts.flatMap(({host, version, agent, clockAheadSeconds: ahead}) => {
		const twin = agent === undefined ? undefined : hosts.find(other => other.host !== host && other.agent === agent);
		return [
			...(ahead === undefined
				? []
				: [
						`its clock is ${duration(Math.abs(ahead))} ${ahead > 0 ? 'ahead of' : 'behind'} this one's: its times, and what is late, go by that`,
					]),
			...(version === undefined || versions.size === 1 ? [] : [`it runs version ${version}, and others run ${others(versions, version)}`]),
			...(twin === undefined ? [] : [`it is the same agent as ${twin.host}, or works with a copy of its state`]),
		].map(text => ({host, text}));
	});
}

const others = (versions: ReadonlySet<string>, own: string): string => [...versions].filter(version => version !== own).join(', ');
