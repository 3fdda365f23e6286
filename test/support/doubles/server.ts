/** The HTTP server of an agent made of memory, on a free port of this machine; it ends with the test. */
import type {ExecutionContext} from 'ava';
import type {Agent} from '../../../agent/agent.ts';
import {type RunningServer, type ServerOptions, startServer} from '../../../agent/api/server.ts';

export async function serveAgent(t: ExecutionContext, agent: Agent, change: Partial<ServerOptions> = {}): Promise<RunningServer> {
	const server = await startServer({
		agent,
		token: 'token',
		listen: {host: '127.0.0.1', port: 0},
		metrics: {refresh: async () => {}, text: async () => '', contentType: 'text/plain'},
		host: 'nas',
		agentId: 'agent-1',
		version: '1.2.3',
		report: error => t.log(error),
		...change,
	});
	t.teardown(server.close);
	return server;
}
