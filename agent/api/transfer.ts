/** Bodies of any size, both ways, without the time limits that `fetch` has for a whole answer. */
import {type ClientRequest, type IncomingMessage, request as requestHttp} from 'node:http';
import {request as requestHttps} from 'node:https';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';

interface Transfer {
	url: URL;
	method: 'GET' | 'POST';
	token: string;
	/** What is sent, and of which type it is. */
	body?: Readable | undefined;
	type?: string | undefined;
	signal?: AbortSignal | undefined;
}

/** Resolves with the head of the answer; its body breaks with an error when the connection ends too soon. */
export async function transfer({url, method, token, body, type, signal}: Transfer): Promise<IncomingMessage> {
	const send = url.protocol === 'https:' ? requestHttps : requestHttp;
	const request = send(url, {
		method,
		// One that was kept from the question before is closed by the agent after five idle seconds, perhaps at just this moment: a question lost that nobody may ask again.
		agent: false,
		headers: {Authorization: `Bearer ${token}`, ...(type === undefined ? {} : {'Content-Type': type})},
		...(signal && {signal}),
	});
	const answered = answerOf(request);
	if (body === undefined) {
		request.end();
		return answered;
	}

	// Who refuses need not read to the end: then the answer says why, and not the broken pipe.
	const sent = pipeline(body, request).then(
		() => answered,
		async (error: unknown) => Promise.race([answered, later(error)]),
	);
	return Promise.race([answered, sent]);
}

async function answerOf(request: ClientRequest): Promise<IncomingMessage> {
	const {promise, resolve, reject} = Promise.withResolvers<IncomingMessage>();
	request.once('response', resolve);
	request.on('error', reject);
	promise.catch(() => {});
	return promise;
}

/** How long an answer may be behind the end of the connection's other half. */
const answerWithinMs = 1000;

async function later(error: unknown): Promise<never> {
	const {promise, reject} = Promise.withResolvers<never>();
	setTimeout(() => reject(error), answerWithinMs);
	return promise;
}

/** The same answer, for those who read what `fetch` gives. */
export const asResponse = (message: IncomingMessage): Response =>
	new Response(Readable.toWeb(message) as ReadableStream, {status: message.statusCode ?? 500});
