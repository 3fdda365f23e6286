/** What the planning of one member looks at. */

import type {PlanRequest} from '../plan/plan.ts';
import type {Member, Target} from '../targets/discovery.ts';
import type {Grounds} from './objections.ts';
import type {Remarks} from './remarks.ts';

export interface Scope {
	member: Member;
	prefix: string;
	grounds: Grounds;
	databases: PlanRequest['databases'];
	closedDatabases: NonNullable<PlanRequest['closedDatabases']>;
	dataDirectory: string;
	remarks: Pick<Remarks, 'problem' | 'note'>;
}

/** Whom a message is about. */
export const subjectOf = ({project}: Target, {service}: Pick<Member, 'service'>): string =>
	project === undefined ? service : `${project}/${service}`;
