/** Answers that need nothing but `node:http`: what is asked of an agent all day, and what one says that waits. */
import type {IncomingMessage, Server, ServerResponse} from 'node:http';
import {commonHeaders} from './common-headers.ts';

export interface Answer {
	status: number;
	type: string;
	text: string;
}

export const isRead = ({method}: IncomingMessage): boolean => method === 'GET' || method === 'HEAD';

export const pathOf = ({url = ''}: IncomingMessage): string => url.replace(/\?.*$/, '');

export function send({method}: IncomingMessage, response: ServerResponse, {status, type, text}: Answer): void {
	response.writeHead(status, {...commonHeaders, 'Content-Type': type, 'Content-Length': Buffer.byteLength(text)});
	response.end(method === 'HEAD' ? undefined : text);
}

export const json = (status: number, body: unknown): Answer => ({status, type: 'application/json', text: JSON.stringify(body)});

export async function closeWithin(server: Server, timeMs: number): Promise<void> {
	const {promise, resolve} = Promise.withResolvers<void>();
	const timer = setTimeout(() => server.closeAllConnections(), timeMs);
	server.close(() => resolve());
	await promise;
	clearTimeout(timer);
}
