/** A PostgreSQL server outside the container whose labels name it. Pure. */
import * as z from 'zod';
import type {Container} from '../../../docker/container.ts';
import type {PostgresPolicy} from './labels.ts';

/** A schema, because the journal of restores names it. */
export const externalServer = z.object({
	host: z.string(),
	port: z.number(),
	/** The file of the agent that holds the password is named after both: a label reaches the secrets of its own project only. */
	secret: z.string().optional(),
	project: z.string().optional(),
});

export type ExternalServer = z.infer<typeof externalServer>;

const defaultPort = 5432;

/** What labels say of a server in its container. Absent: what the image and the server say. */
export const insideServer = z.object({
	port: z.number().optional(),
	/** As of an external server. */
	secret: z.string().optional(),
	project: z.string().optional(),
});

export type Inside = z.infer<typeof insideServer>;

export function insideOf({port, passwordSecret: secret}: PostgresPolicy, {project}: Pick<Container, 'project'>): Inside | undefined {
	return port === undefined && secret === undefined ? undefined : {port, secret, project};
}

/** Undefined: the server is in the container. */
export function externalOf(policy: PostgresPolicy | undefined, {project}: Pick<Container, 'project'>): ExternalServer | undefined {
	const {host, port = defaultPort, passwordSecret: secret} = policy ?? {};
	return host === undefined ? undefined : {host: host.replace(/^\[(.*)\]$/, '$1'), port, secret, project};
}
