/** What the engine tells of containers as it happens, and what it remembers of that. */
import type {Readable} from 'node:stream';
import {text} from 'node:stream/consumers';
import type Dockerode from 'dockerode';
import {type Client, limited} from './client.ts';

/** An engine that does not end its answer in time (it waits until the last second that was asked for is over) says nothing. */
const deathDeadlineMs = 5000;

const rememberedSeconds = 3600;

export interface Death {
	name: string;
	exitCode: number;
}

export interface Events {
	/** How a container ended within the last hour, also one that is gone by now; undefined where the engine has forgotten it: it remembers 256 events. */
	death: (id: string) => Promise<Death | undefined>;
	/** Container events as they come; the stream just ends when the engine goes. */
	events: (signal: AbortSignal) => Promise<Readable>;
}

export const events = ({docker}: Client): Events => ({
	async death(id) {
		const now = Math.floor(Date.now() / 1000);
		const asked = {
			filters: {container: [id], event: ['die']},
			since: now - rememberedSeconds,
			until: now + 1,
			...limited(deathDeadlineMs),
		};
		const events = (await docker.getEvents(asked as Dockerode.GetEventsOptions)) as unknown as Readable;
		const lines = (await text(events)).trim().split('\n').filter(Boolean);
		const {name, exitCode} = JSON.parse(lines.at(-1) ?? '{}').Actor?.Attributes ?? {};
		return name === undefined ? undefined : {name, exitCode: Number(exitCode)};
	},
	events: async abortSignal => (await docker.getEvents({filters: {type: ['container']}, abortSignal})) as unknown as Readable,
});
