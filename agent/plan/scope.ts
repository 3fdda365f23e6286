/** What the planning of one member looks at. */
import type {Member, Target} from '../../docker/discovery.ts';
import type {PlanRequest} from '../plan.ts';
import type {Grounds} from './mounts.ts';
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
