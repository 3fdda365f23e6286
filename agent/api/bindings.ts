/** What every route has at hand. */
import type {HttpBindings} from '@hono/node-server';
import type {Agent} from '../agent.ts';

export interface RoutesOptions {
	agent: Agent;
	version: string;
	/** The name under which it files snapshots. */
	host: string;
	agentId: string;
	/** Fires when the server closes: those who follow a run are let go. */
	closing: AbortSignal;
	heartbeatMs: number;
	/** How long a follower may leave what was sent to it untaken. */
	stalledMs: number;
	report: (error: unknown) => void;
}

export type Bindings = {Bindings: HttpBindings};
