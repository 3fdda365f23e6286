/** Calls of doubles, numbered as they come, of which some fail, or are the last that the agent makes. */
import {syncBuiltinESMExports} from 'node:module';
import {mock} from 'node:test';
import {setImmediate as turn} from 'node:timers/promises';

export interface Fault {
	/** Which call, from 0. */
	at: number;
	/** The connection broke, and nothing came of it, or all did; or the other side said no, for a reason of its own. */
	how: (typeof ways)[number] | (typeof deaths)[number];
	/** From then on, the same call fails whenever it is made. */
	lasts?: boolean;
}

export const ways = ['breaks before', 'is refused', 'breaks after'] as const;

/** The agent is killed: before the other side heard, when it had done it, or while it was at it, so that it happens a while later. */
export const deaths = ['dies before', 'dies after', 'dies meanwhile'] as const;

/** What the engine goes on with when nobody listens any more, and for how long: less than whoever comes next must expect (`lagOf` of docker/resume.ts). */
const isPending = /^engine\.(?:pause|unpause|stop|start|scale) /;
const unheardMs = 3000;

export interface Faults {
	/** `engine.pause app`, as they came. */
	calls: readonly string[];
	/** From now on it is counted anew, and these fail. */
	fail: (faults: readonly Fault[]) => void;
	/** Resolves when it was killed. From then on no call ends, and nothing is done. */
	death: Promise<void>;
	isDead: () => boolean;
	/** The same double, whose calls are counted and may fail. Its verbs must all be asynchronous. */
	among: <Double extends object>(name: string, double: Double) => Double;
}

const never = new Promise<never>(() => {});

const errorOf = (call: string, how: Fault['how']): Error =>
	Object.assign(new Error(`${call} ${how}`), how === 'is refused' ? {statusCode: 500} : {code: 'ECONNRESET'});

export function faulty(): Faults {
	const calls: string[] = [];
	let faults: readonly Fault[] = [];
	let isDead = false;
	const {promise: death, resolve: die} = Promise.withResolvers<void>();
	const kill = async (): Promise<never> => {
		isDead = true;
		die();
		return never;
	};
	const counted = async (call: string, work: () => unknown): Promise<unknown> => {
		if (isDead) {
			return never;
		}

		const fault = faults.find(({at, lasts}) => at === calls.length || (lasts && calls[at] === call));
		calls.push(call);
		switch (fault?.how) {
			case 'dies before':
				return kill();
			case 'dies meanwhile':
				if (isPending.test(call)) {
					setTimeout(work, unheardMs);
				} else {
					await work();
				}

				return kill();
			case 'breaks before':
			case 'is refused':
				throw errorOf(call, fault.how);
			default:
		}

		const value = await work();
		if (fault?.how === 'dies after' || isDead) {
			return kill();
		}

		if (fault !== undefined) {
			throw errorOf(call, fault.how);
		}

		return value;
	};
	return {
		calls,
		death,
		isDead: () => isDead,
		fail(next) {
			faults = next;
			calls.length = 0;
		},
		among: (name, double) =>
			new Proxy(double, {
				get(verbs, key) {
					const verb: unknown = Reflect.get(verbs, key);
					return typeof verb === 'function'
						? async (...given: unknown[]) => {
								const of = typeof given[0] === 'string' ? ` ${given[0]}` : '';
								return counted(`${name}.${String(key)}${of}`, () => Reflect.apply(verb, verbs, given));
							}
						: verb;
				},
			}),
	};
}

/** How far the clock goes with each turn of the event loop: pauses are over at once, and no limit is reached while something is at work. */
const tickMs = 100;

/** Works on a clock that does not wait: between two tries nothing happens. Only one at a time. */
export async function withoutWaiting<Value>(work: () => Promise<Value>): Promise<Value> {
	mock.timers.enable({apis: ['setTimeout', 'setInterval', 'Date'], now: Date.now()});
	syncBuiltinESMExports();
	try {
		let isOver = false;
		const working = work().finally(() => {
			isOver = true;
		});
		working.catch(() => {});
		while (!isOver) {
			await turn();
			mock.timers.tick(tickMs);
		}

		return await working;
	} finally {
		mock.timers.reset();
		syncBuiltinESMExports();
	}
}
