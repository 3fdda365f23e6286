/** What the engine tells of containers as it happens, and what it remembers of that. */
import type {Readable} from 'node:stream';
import {text} from 'node:stream/consumers';
import type Dockerode from 'dockerode';
import {type Client, limited} from './client.ts';

/** An engine that does not end its answer in time (it waits until the last second that was asked for is over) says nothing. */
const pastDeadlineMs = 5000;

const rememberedSeconds = 3600;

export interface Death {
	name: string;
	exitCode: number;
}

/** As the engine tells it. */
interface PastEvent {
	Type: string;
	Action: string;
	timeNano: number;
	Actor?: {ID: string; Attributes?: Record<string, string>};
}

export interface Events {
	/** How a container ended within the last hour, also one that is gone by now; undefined where the engine has forgotten it: it remembers 256 events. */
	death: (id: string) => Promise<Death | undefined>;
	/** Whether anybody sent the container a signal since then (milliseconds since 1970, by the engine's clock); undefined where the engine does not remember all since. */
	signalled: (id: string, since: number) => Promise<boolean | undefined>;
	/** Container events as they come; the stream just ends when the engine goes. */
	events: (signal: AbortSignal) => Promise<Readable>;
}

/** What the engine remembers, newest first. */
async function past({docker}: Client, asked: Pick<Dockerode.GetEventsOptions, 'since' | 'filters'>): Promise<PastEvent[]> {
	const options = {...asked, until: Math.floor(Date.now() / 1000) + 1, ...limited(pastDeadlineMs)};
	const stream = (await docker.getEvents(options as Dockerode.GetEventsOptions)) as unknown as Readable;
	const lines = (await text(stream)).trim().split('\n').filter(Boolean);
	return lines.map(line => JSON.parse(line) as PastEvent).toReversed();
}

export const events = (client: Client): Events => ({
	async death(id) {
		const since = Math.floor(Date.now() / 1000) - rememberedSeconds;
		const [last] = await past(client, {filters: {container: [id], event: ['die']}, since});
		const {name, exitCode} = last?.Actor?.Attributes ?? {};
		return name === undefined ? undefined : {name, exitCode: Number(exitCode)};
	},
	async signalled(id, since) {
		const all = await past(client, {since: 1});
		const isSince = ({timeNano}: PastEvent) => timeNano / 1e6 >= since;
		const isSignal = ({Type: type, Action: action, Actor: actor}: PastEvent) =>
			type === 'container' && action === 'kill' && actor?.ID === id;
		return all.some(event => isSignal(event) && isSince(event)) || (all.some(event => !isSince(event)) ? false : undefined);
	},
	events: async abortSignal => (await client.docker.getEvents({filters: {type: ['container']}, abortSignal})) as unknown as Readable,
});
