import {setTimeout as delay} from 'node:timers/promises';

/**
 * How long and how often to look, in milliseconds. Who gives no `interval` looks less often the longer it takes: a look costs the processor that what is
 * waited for needs, too. With one, nothing is missed that lasts longer.
 */
export type Patience = {timeout?: number; interval?: number};

const late = Symbol('late');

/** Of the time waited so far: so much later, at most, is known what came. Up to `longestMs`. */
const part = 1 / 16;
const firstMs = 50;
const longestMs = 250;

/**
 * Asks `probe` again and again until it returns something truthy, and returns that. A probe that throws counts as "not yet".
 * After `timeout` (60 s) it fails, also when the probe hangs, naming `description` and, as its cause, the last thing that the probe threw.
 */
export const until = async <Found>(
	description: string,
	probe: () => Found | Promise<Found>,
	{timeout = 60_000, interval}: Patience = {},
): Promise<Exclude<Found, false | 0 | '' | null | undefined>> => {
	const begun = performance.now();
	const deadline = begun + timeout;
	let cause: unknown;
	for (;;) {
		try {
			const found = await Promise.race([probe(), delay(Math.max(1, deadline - performance.now()), late, {ref: false})]);
			if (found !== late && found) {
				return found as Exclude<Found, false | 0 | '' | null | undefined>;
			}

			// What a probe that was cut short would have said is not known: what the one before said is the best there is.
			cause = found === late ? cause : undefined;
		} catch (error) {
			cause = error;
		}

		if (performance.now() >= deadline) {
			const last = cause instanceof Error ? `: ${cause.message}` : '';
			throw new Error(`Waited ${timeout / 1000} s in vain for ${description}${last}`, {cause});
		}

		await delay(interval ?? Math.min(Math.max(firstMs, (performance.now() - begun) * part), longestMs));
	}
};
