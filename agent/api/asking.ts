/** Questions to an agent over HTTP, and what is said where its answer is a refusal, or comes from somebody else, or never. */
import type {IncomingMessage} from 'node:http';
import {Readable} from 'node:stream';
import {BusyError, NotFoundError, RepositoryError, RunError, UsageError} from '../../base/errors.ts';
import {asResponse, transfer} from './transfer.ts';
import type {ErrorBody} from './wire.ts';

/** An agent that hangs, or a host that was unplugged, takes the question and never answers. */
const usualAnswerMs = 60_000;

interface Addressee {
	url: string;
	token: string;
	/** How long the answer may take to what an agent knows without asking its repository. */
	answerMs?: number | undefined;
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

type Moving = Omit<Parameters<typeof transfer>[0], 'url' | 'token'> & {query: Query; only?: readonly string[]};

/** Each throws as `Client` says of its verbs. Paths are below `/api/v1/`, but for `send`. */
export interface Asking {
	get: <Answer>(path: string, query?: Query) => Promise<Answer>;
	post: <Answer>(path: string, body?: unknown) => Promise<Answer>;
	/** The same where the agent knows the answer by itself: it must come soon. */
	known: <Answer>(path: string, query?: Query) => Promise<Answer>;
	tell: <Answer>(path: string, body: unknown) => Promise<Answer>;
	/** Bodies of any size. */
	move: (path: string, moving: Moving) => Promise<IncomingMessage>;
	send: (path: string, init?: RequestInit) => Promise<Response>;
}

export function createAsking({url, token, answerMs = usualAnswerMs}: Addressee): Asking {
	const send = (path: string, init: RequestInit = {}): Promise<Response> =>
		fetch(new URL(path, url), {...init, redirect: 'error', headers: {...init.headers, Authorization: `Bearer ${token}`}});

	/** Without a limit of time, where none is given: to plan a restore may take longer than the five minutes that `fetch` waits. */
	const call = async <Answer>(path: string, {body, limitMs}: {body?: string; limitMs?: number | undefined} = {}): Promise<Answer> => {
		const signal = limitMs === undefined ? undefined : AbortSignal.timeout(limitMs);
		try {
			const message = await transfer({
				url: new URL(path, url),
				token,
				signal,
				...(body === undefined ? {method: 'GET'} : {method: 'POST', type: 'application/json', body: Readable.from([body])}),
			}).catch(error => {
				throw away(url, error);
			});
			assertAgent(url, message);
			const response = asResponse(message);
			if (!response.ok) {
				throw await refusal(response);
			}

			return (await response.json()) as Answer;
		} catch (error) {
			throw signal?.aborted ? silent(url, limitMs ?? 0) : error;
		}
	};
	const move = async (path: string, {query, only = [], ...rest}: Moving) => {
		const search = new URLSearchParams([...searchOf(query), ...only.map((source): [string, string] => ['only', source])]);
		const answer = await transfer({...rest, token, url: new URL(`/api/v1/${path}?${search}`, url)}).catch(error => {
			throw away(url, error);
		});
		if ((answer.statusCode ?? 500) >= 300) {
			throw await refusal(asResponse(answer));
		}

		return answer;
	};

	return {
		get: (path, query = {}) => call(`/api/v1/${path}?${searchOf(query)}`),
		post: (path, body = {}) => call(`/api/v1/${path}`, {body: JSON.stringify(body)}),
		known: (path, query = {}) => call(`/api/v1/${path}?${searchOf(query)}`, {limitMs: answerMs}),
		tell: (path, body) => call(`/api/v1/${path}`, {body: JSON.stringify(body), limitMs: answerMs}),
		move,
		send,
	};
}

const searchOf = (query: Query): URLSearchParams =>
	new URLSearchParams(
		Object.entries(query).flatMap(([name, value]): Array<[string, string]> => (value === undefined ? [] : [[name, String(value)]])),
	);

export const away = (url: string, cause: unknown): RunError =>
	new RunError(`no agent answers at ${url}`, {cause, hint: 'is it running? `docker compose ps` and its log say so'});

const silent = (url: string, limitMs: number): RunError =>
	new RunError(`the agent at ${url} takes the question, and gives no answer within ${limitMs / 1000} s`, {
		hint: 'it hangs, or its host does: `docker logs` of its container says how far it came, and `docker restart` ends it',
	});

/** Every answer of an agent is JSON. @throws {RunError} that says who seems to answer in its place */
function assertAgent(url: string, {statusCode = 0, headers}: IncomingMessage): void {
	const {'content-type': type, location} = headers;
	if (!/^application\/(?:[\w.-]+\+)?json\b/.test(type ?? '')) {
		const sent =
			location === undefined ? `sent ${type === undefined ? 'nothing of a known type' : type}` : `sends elsewhere, to ${location}`;
		throw new RunError(`what answers at ${url} is no agent of Holdfast: it said ${statusCode}, and ${sent}`, {
			hint: 'is it a proxy, or a page to sign in, before the agent? Give the address of the agent itself, or let its API through (docs/api.md)',
		});
	}
}

/** What the agent said that it is. */
export async function refusal(response: Response): Promise<Error> {
	const {
		error = `the agent answered ${response.status}`,
		hint,
		problem,
	} = ((await response.json().catch(() => undefined)) ?? {}) as Partial<ErrorBody>;
	switch (response.status) {
		case 400:
		case 413:
			return new UsageError(error, {hint});
		case 401:
			return new RunError(error, {
				hint: 'give the one that this agent was given: HOLDFAST_API_TOKEN there, or its file; `tokenFile` in the section `agents` here',
			});
		case 404:
			return new NotFoundError(error, {hint});
		case 409:
			return new BusyError(error, {hint});
		default:
			return problem ? new RepositoryError(problem, error, {hint}) : new RunError(error, {hint});
	}
}
