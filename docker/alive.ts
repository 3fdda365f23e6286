/** Notices that a container has ended. An engine may leave whoever waits for a command in it without an answer, for ever (20.10). */
import {toldDead} from './death.ts';
import type {Engine} from './engine.ts';
import {statusOf} from './refusal.ts';

/** How often it is looked. What a command of a dead container had written is read by the second look. */
const lookMs = 2000;

export interface Watch {
	/** Rejects when the container does not run any more. Never resolves. */
	ended: Promise<never>;
	stop: () => void;
}

export function watchAlive(engine: Engine, id: string): Watch {
	const {promise: ended, reject} = Promise.withResolvers<never>();
	ended.catch(() => {});
	let seenDead = 0;
	let outOfMemory = false;
	const look = async () => {
		const state = await engine.inspect(id).then(
			details => {
				outOfMemory ||= details.oomKilled === true;
				return details.state;
			},
			// An engine that does not answer says nothing about the container
			(error: unknown) => (statusOf(error) === 404 ? 'gone' : 'running'),
		);
		seenDead = ['gone', 'exited', 'dead', 'removing'].includes(state) ? seenDead + 1 : 0;
		if (seenDead === 2) {
			reject(await toldDead(engine, id, 'while a command ran in it', {outOfMemory}));
		}
	};

	const timer = setInterval(() => void look(), lookMs);
	timer.unref();
	return {ended, stop: () => clearInterval(timer)};
}
