/**
 * A dead man's switch, elsewhere: it is told that backups begin, and how they end; when it hears nothing for too long, it raises the alarm. As
 * healthchecks.io, and those who do as it does, take it: a POST to the address with `/start`, to itself for a success, with `/fail` for anything
 * else; what the run told, in the body (https://healthchecks.io/docs/http_api/).
 */
import type {EventHub, FinishedEvent, RunEvent} from '../../base/events.ts';
import type {Log} from '../../base/log.ts';
import {lackOf, lacksOnly, type Outcome} from '../../base/results.ts';
import type {Notifications} from './notify.ts';
import {post} from './post.ts';
import {createQueue, type Patience, type Queue} from './queue.ts';

/** What is expected now: a ping that comes late tells less than the next one. */
const usualPausesMs = [1000, 5000, 30_000];

/** Of the body. healthchecks.io takes 100,000 bytes. */
const mostCharacters = 10_000;
const mostLines = 200;

interface PingOptions extends Patience {
	hub: Pick<EventHub, 'listen'>;
	/** `HOLDFAST_PING_URL`: for all targets that have no address of their own. */
	url: string | undefined;
	/** The address that a target's label gives. */
	urlOf: (target: string) => Promise<string | undefined>;
	/** Those of the targets without an address of their own that are not well: late, or failed. Names, each with why. */
	unwell: () => Promise<Array<{target: string; why: string}>>;
	redact: (value: unknown) => unknown;
	log: Log;
}

interface Ping {
	run: string;
	target: string;
	suffix: '' | '/start' | '/fail';
	body: string;
}

/** As the command line ends. */
const exitStatus: Record<Outcome, number> = {success: 0, failed: 1, partial: 3};

export function createPings(options: PingOptions): Notifications {
	const {hub, url: common, urlOf, unwell, redact, log, pausesMs = usualPausesMs} = options;
	const ending = new AbortController();
	const queues = new Map<string, Queue<Ping>>();
	/** Backups that began, each with what they told. */
	const told = new Map<string, {lines: string[]; hasBegun: boolean}>();
	/** One after the other, so that no start comes after its end. */
	let last: Promise<unknown> = Promise.resolve();

	const queueOf = (url: string): Queue<Ping> => {
		const known = queues.get(url);
		if (known !== undefined) {
			return known;
		}

		const describe = ({run, target, suffix}: Ping) => ({
			subject: suffix === '/start' ? `that run ${run} of \`${target}\` begins` : `how run ${run} of \`${target}\` ended`,
			run,
			target,
		});
		const queue = createQueue<Ping>(
			{name: "the dead man's switch", send: async (ping, signal) => send(url, ping, signal)},
			{...options, pausesMs, log, describe},
			ending.signal,
		);
		queues.set(url, queue);
		return queue;
	};

	const ping = (
		made: (address: {isOwn: boolean}) => Promise<Omit<Ping, 'run' | 'target'>>,
		{run, target}: {run: string; target: string},
	): void => {
		last = last
			.then(async () => {
				const own = await urlOf(target);
				const url = own ?? common;
				if (url !== undefined && !ending.signal.aborted) {
					const {suffix, body} = await made({isOwn: own !== undefined});
					queueOf(url).add({run, target, suffix, body: (redact({body}) as {body: string}).body});
				}
			})
			.catch((error: unknown) => log.warning("the dead man's switch could not be told", {run, target, error}));
	};

	const end = async (event: FinishedEvent, lines: readonly string[], {isOwn}: {isOwn: boolean}): Promise<Omit<Ping, 'run' | 'target'>> => {
		const {outcome, error} = event.result;
		const lack = 'absent' in event.result ? lackOf(event.result) : undefined;
		const isGood = outcome === 'success' || lacksOnly(event.result);
		const others = isOwn ? [] : (await unwell()).filter(({target}) => target !== event.target);
		const body = [
			`backup of ${event.target}, run ${event.run}: ${outcome}, exit status ${exitStatus[outcome]}`,
			...(lack === undefined ? [] : [`the point was made ${lack}`]),
			...(error === undefined ? [] : [error]),
			...others.map(({target, why}) => `${target}: ${why}`),
			'',
		].join('\n');
		const room = mostCharacters - body.length;
		return {suffix: isGood && others.length === 0 ? '' : '/fail', body: body.slice(0, mostCharacters) + tailOf(lines.join('\n'), room)};
	};

	const unlisten = hub.listen(event => {
		if (event.type === 'queued') {
			if (event.operation === 'backup') {
				told.set(event.run, {lines: [], hasBegun: false});
			}

			return;
		}

		const known = told.get(event.run);
		if (event.type === 'finished') {
			// One that an earlier life of the agent began ends in this one.
			if (event.operation === 'backup') {
				told.delete(event.run);
				ping(async address => end(event, known?.lines ?? [], address), event);
			}

			return;
		}

		if (known === undefined) {
			return;
		}

		known.lines.push(...lineOf(event));
		known.lines.splice(0, known.lines.length - mostLines);
		if (event.type === 'step' && event.step !== 'wait' && !known.hasBegun) {
			known.hasBegun = true;
			ping(async () => ({suffix: '/start', body: ''}), event);
		}
	});
	return {
		close() {
			unlisten();
			ending.abort();
			for (const queue of queues.values()) {
				queue.close();
			}
		},
	};
}

const tailOf = (text: string, length: number): string => (length <= 0 ? '' : text.slice(-length));

function lineOf(event: RunEvent): string[] {
	const time = new Date(event.at).toISOString();
	switch (event.type) {
		case 'step':
			return [`${time} ${event.step}${event.subject === undefined ? '' : ` ${event.subject}`}`];
		case 'warning':
			return [`${time} warning: ${event.message}`];
		default:
			return [];
	}
}

async function send(address: string, {suffix, body}: Ping, signal: AbortSignal): Promise<void> {
	const url = new URL(address);
	url.pathname = url.pathname.replace(/\/$/, '') + suffix;
	await post(String(url), {body, headers: {'Content-Type': 'text/plain; charset=utf-8'}, signal});
}
