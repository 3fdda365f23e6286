/** A session of the server's own client program, which reads commands and prints answers, a line at a time. */
import {setTimeout as delay} from 'node:timers/promises';
import type {Command, Place} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {openSession, type Session} from '../session.ts';
import {quoteWord} from './words.ts';

/** How long the server may take for an answer: none of what it is asked takes long. */
export const usualAnswerMs = 30_000;

/** Stands behind each answer, which may be of many lines. `PING` is refused by a server that loads, or whose last save failed (`MISCONF`). */
const mark = 'holdfast-has-heard';

/** The client program says it on its error output, and goes on to wait for commands. */
const troubled = /^(?:Could not connect|Error|AUTH failed)[^\n]*/im;

/** The server refuses: `code` is the first word of what it says (`NOAUTH`, `NOPERM`, `ERR`, `LOADING`). */
export class ValkeyRefusal extends RunError {
	readonly code: string;
	/** What it says. */
	readonly said: string;

	constructor(command: string, said: string) {
		super(`the server refused \`${command}\`: ${said}`);
		this.code = said.split(' ', 1)[0] ?? '';
		this.said = said;
	}
}

const refusal = /^(?:\(error\) )?((?:ERR|NOAUTH|NOPERM|WRONGPASS|LOADING|BUSY|MISCONF|MASTERDOWN|READONLY|OOM|EXECABORT)\b.*)/;

const mayNotEcho = /^NOPERM\b.*\becho\b/i;

export interface Client {
	/** The words of a command → the answer. @throws {ValkeyRefusal} */
	ask: (words: readonly [string, ...string[]], signal?: AbortSignal) => Promise<string>;
	/** @throws {ValkeyRefusal} where the server does not let that one in */
	login: (user: string | undefined, password: string) => Promise<void>;
	close: () => Promise<void>;
}

/** What the container has for its own health check may be another's, or old. */
const asNobody = 'unset REDISCLI_AUTH VALKEYCLI_AUTH; exec "$@"';

export async function openClient(place: Place, {argv, answerMs, ...command}: Command & {answerMs: number}): Promise<Client> {
	const trouble = Promise.withResolvers<never>();
	trouble.promise.catch(() => {});
	const session: Session = await openSession(place, {
		...command,
		argv: ['sh', '-c', asNobody, 'sh', ...argv],
		onError(piece) {
			const said = troubled.exec(piece)?.[0];
			if (said !== undefined) {
				trouble.reject(new RunError(`\`${argv[0]}\`: ${said.trim()}`));
			}
		},
	});

	/** @param text must not be told: it may hold a password */
	const exchange = async (text: string, name: string, signal?: AbortSignal): Promise<string> => {
		const limit = AbortSignal.timeout(answerMs);
		const either = AbortSignal.any([limit, ...[signal, command.signal].filter(each => each !== undefined)]);
		const said: string[] = [];
		try {
			for (
				let line = await Promise.race([session.ask(`${text}\nECHO ${mark}`, either), trouble.promise]);
				line !== mark;
				line = await Promise.race([session.line(either), trouble.promise])
			) {
				// One that may not even do this says so instead, also in the place of the mark.
				if (mayNotEcho.test(line) || (said.some(each => refusal.test(each)) && refusal.test(line))) {
					break;
				}

				said.push(line);
			}
		} catch (error) {
			throw limit.aborted ? new RunError(`the server did not answer \`${name}\` within ${answerMs / 1000} s`) : error;
		}

		const answer = said.join('\n').trim();
		const refused = refusal.exec(answer)?.[1];
		if (refused !== undefined) {
			throw new ValkeyRefusal(name, refused);
		}

		return answer;
	};

	return {
		ask: async (words, signal) => exchange(words.map(quoteWord).join(' '), words.slice(0, 3).join(' '), signal),
		async login(user, password) {
			await exchange(['AUTH', ...(user === undefined ? [] : [user]), password].map(quoteWord).join(' '), 'AUTH');
		},
		close: session.close,
	};
}

/** `name:value` in lines, under headings. */
export const readInfo = (text: string): ReadonlyMap<string, string> =>
	new Map(
		text.split(/\r?\n/).flatMap(line => {
			const [, name, value] = /^([^#:\s][^:]*):(.*)$/.exec(line) ?? [];
			return name === undefined || value === undefined ? [] : [[name, value.trim()] as const];
		}),
	);

/** Keys of all databases, and how many of them expire. */
export function countKeys(info: ReadonlyMap<string, string>): {keys: number; expires: number} {
	const counted = {keys: 0, expires: 0};
	for (const [name, value] of info) {
		const [, keys, expires] = (/^db\d+$/.test(name) && /^keys=(\d+),expires=(\d+)/.exec(value)) || [];
		counted.keys += Number(keys ?? 0);
		counted.expires += Number(expires ?? 0);
	}

	return counted;
}

const lookEveryMs = 250;

/** What a server says of itself, when it has loaded its data. */
export async function onceLoaded(
	info: () => Promise<ReadonlyMap<string, string>>,
	patienceMs: number,
	signal?: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
	const deadline = performance.now() + patienceMs;
	for (;;) {
		const said = await info();
		if (said.get('loading') !== '1') {
			return said;
		}

		if (performance.now() > deadline) {
			throw new RunError(`the server is still loading its data (${said.get('loading_loaded_perc') ?? '?'} %)`);
		}

		await delay(lookEveryMs, undefined, {signal});
	}
}
