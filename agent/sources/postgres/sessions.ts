/** How many sessions a server has left, and what its databases need of them: all pinned in one moment, or one after the other. Pure. */
import type {Problem} from '../../../base/problem.ts';

export interface Sessions {
	/** What the role can have at most, where nobody else has any; what only superusers may take is not counted. */
	most: number;
	free: number;
}

/** JSON. Autovacuum and the like are counted, too: nobody else can have what they have now. */
export const sessionsSql =
	`(select json_build_object('most', least(own, all_of), 'free', greatest(0, least(own - mine, all_of - taken))) from (
	select case when rolconnlimit < 0 or rolsuper then 1000000 else rolconnlimit end, (select count(*) from pg_stat_activity where usename = rolname),
		current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int - coalesce(current_setting('reserved_connections', true)::int, 0),
		(select coalesce(sum(numbackends), 0) from pg_stat_database)
	from pg_roles where rolname = current_user) limits (own, mine, all_of, taken))`.replaceAll(/\s+/g, ' ');

export interface Wanted {
	/** How many of one server. */
	databases: number;
	/** They are to be of the moment of files, or of somebody who stands still for them. */
	isMoment: boolean;
}

/** As many small dumps run beside each other (`agent/backup/crew.ts`). */
const dumpsAtOnce = 3;

/** A session can pin one database only, and another dumps it. */
const neededBy = (databases: number, dumps = 1): number => databases + Math.min(databases, dumps);

/** Applications grow: of what is free, this much is left to them where it costs nothing but time. */
const sparedOf = (most: number): number => Math.ceil(most / 4);

/** Where it would cost the moment, an application is left this many. */
const leastSpared = 1;

/** `sparingly`: pinned together, and dumped one at a time. */
export type Way = 'together' | 'sparingly' | 'in turn' | 'not now';

export function wayOf({most, free}: Sessions, {databases, isMoment}: Wanted): Way {
	if (databases === 1 || neededBy(databases, dumpsAtOnce) <= free - sparedOf(most)) {
		return 'together';
	}

	if (!isMoment) {
		return 'in turn';
	}

	return neededBy(databases) <= free - leastSpared ? 'sparingly' : 'not now';
}

/** For people, with numbers. */
export function tooFew({most, free}: Sessions, {databases}: Wanted, where: string): {message: string; hint: string} {
	return {
		message: `${databases} databases of one moment need ${neededBy(databases)} sessions of the server ${where}, and one is left to its applications; it has ${free} free now, and ${most} at most`,
		hint: 'raise `max_connections`, or back up files and databases as targets of their own: then the databases go in turn',
	};
}

/** What is known before: what can never be had, is waited for, or is done otherwise. */
export function strainOf(sessions: Sessions, wanted: Wanted, where: string): {problem?: Problem; note?: string} {
	const way = wayOf(sessions, wanted);
	if (way === 'together' || way === 'sparingly') {
		return {};
	}

	const {message, hint} = tooFew(sessions, wanted, where);
	if (way === 'in turn') {
		const {databases} = wanted;
		return {
			note: `its ${databases} databases are dumped in turn, each of its own moment: together they need ${neededBy(databases)} sessions, and the server ${where} has ${sessions.free} free of ${sessions.most}`,
		};
	}

	return wayOf({...sessions, free: sessions.most}, wanted) === 'not now'
		? {problem: {message, hint}}
		: {note: `${message}: a run waits for them`};
}
