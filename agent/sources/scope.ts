/** What the planning of one member looks at. */

import type {PlanRequest} from '../plan/planned.ts';
import type {Member} from '../targets/target.ts';
import type {Grounds} from './objections.ts';
import type {Remarks} from './remarks.ts';

export interface Scope {
	member: Member;
	prefix: string;
	grounds: Grounds;
	databases: PlanRequest['databases'];
	closedDatabases: NonNullable<PlanRequest['closedDatabases']>;
	/** Of the server in its container, if there is one: the data directory, and what else is its own. */
	serverFolders: readonly string[];
	/** How long a dump waits for a lock, where a label does not say. */
	lockTimeoutMs?: number | undefined;
	remarks: Pick<Remarks, 'problem' | 'note'>;
}
