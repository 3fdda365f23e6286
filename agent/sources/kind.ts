import type {Container, Mount} from '../../docker/container.ts';
import type {ExternalServer, Inside} from './postgres/plan-external.ts';

export type PlannedSource = {
	/** As people write it, and unique in its target: `db/postgres:metadb`. */
	name: string;
	container: Container;
} /** Without a user: the one that the container's `POSTGRES_USER` names, or `postgres`. `external`: its server is not in the container. */ & (
	| {
			kind: 'postgres';
			database: string;
			/** `all`: as SQL, as part of a dump of the whole server. */
			format: 'custom' | 'plain' | 'all';
			user?: string | undefined;
			external?: ExternalServer | undefined;
			inside?: Inside | undefined;
			/** How long its dump waits for a lock that somebody holds. */
			lockTimeoutMs?: number | undefined;
	  }
	/** `mount` holds the file; `path` is in the container. */
	| {kind: 'sqlite'; path: string; mount: Mount; lockTimeoutMs?: number | undefined}
	/** `exclude`: patterns relative to the mount, the files of SQLite sources among them. */
	| {kind: 'volume'; mount: Mount; exclude: readonly string[]}
	| {kind: 'tar'; path: string}
);
