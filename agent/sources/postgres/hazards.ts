/** What of a database a restore cannot put in its place as it is: said when it is dumped, and before a restore touches anything. */
import {printable} from '../../../base/printable.ts';
import {quoteLiteral} from './sql.ts';

export interface Hazards {
	/** Logical replication slots of this database. */
	slots: string[];
	subscriptions: string[];
	prepared: string[];
	/** Extensions that one database of the server has, named by a setting; each as the setting's value. */
	alone: Record<string, string>;
	/** The role is a superuser. */
	superuser: boolean;
	eventTriggers: string[];
	/** Publications for all tables. */
	allTables: string[];
	/** User mappings whose passwords the role may not read. */
	mappings: number;
}

/** Extensions that are made only in the database that a setting names. */
const alone: Readonly<Record<string, string>> = {pg_cron: 'cron.database_name'};

export const aloneSettings: readonly string[] = Object.values(alone);

const none = "'[]'::json";
const names = (from: string): string => `coalesce((select json_agg(name order by name) from (${from}) named (name)), ${none})`;

/** What the server knows of a database from without: one column, JSON. @param age of the prepared transactions that count, in SQL */
const serverSql = (
	database: string,
	age: string,
): string => `'slots', ${names(`select slot_name::text from pg_replication_slots where database = ${database}`)},
	'subscriptions', ${names(`select subname::text from pg_subscription s join pg_database d on d.oid = s.subdbid where datname = ${database}`)},
	'prepared', ${names(`select gid from pg_prepared_xacts where database = ${database} and prepared <= now() - interval ${quoteLiteral(age)}`)}`;

/** Applications that commit in two phases have prepared transactions all the time, of which each is over in a moment: those are nothing to tell. */
const forgottenFor = '5 minutes';

/** Of the database of the session; its answer is one line. */
export const hazardsSql = `select json_build_object(${serverSql('current_database()', forgottenFor)},
	'alone', (select coalesce(json_object_agg(extname, current_setting(setting, true)), '{}') from pg_extension
		join (values ${Object.entries(alone)
			.map(pair => `(${pair.map(quoteLiteral).join(', ')})`)
			.join(', ')}) as single (name, setting) on extname = single.name),
	'superuser', (select rolsuper from pg_roles where rolname = current_user),
	'eventTriggers', ${names("select evtname::text from pg_event_trigger t where not exists (select from pg_depend where classid = 'pg_event_trigger'::regclass and objid = t.oid and deptype = 'e')")},
	'allTables', ${names('select pubname::text from pg_publication where puballtables')},
	'mappings', (select count(*) from pg_user_mappings where umoptions is null))`.replaceAll(/\s+/g, ' ');

const listed = (things: readonly string[]): string => things.map(thing => `\`${printable(thing)}\``).join(', ');

/** For a backup, each with what it means. */
export function hazardWarnings(hazards: Hazards): string[] {
	const {slots, subscriptions, prepared, alone: single, superuser, mappings} = hazards;
	const privileged = superuserOnly(hazards);
	return [
		...(slots.length === 0
			? []
			: [`has the logical replication slot ${listed(slots)}, which no dump holds: a restore in its place is refused while it is there`]),
		...(subscriptions.length === 0
			? []
			: [
					`has the subscription ${listed(subscriptions)}: a restore in its place is refused while it is there, and a restored one is disabled`,
				]),
		...(prepared.length === 0
			? []
			: [
					`has the prepared transaction ${listed(prepared)}, whose changes are not in the dump; a restore in its place is refused while it is there`,
				]),
		...Object.keys(single).map(
			extension =>
				`has the extension ${extension}, which only the database of \`${alone[extension]}\` may have: it cannot be restored beside itself, see docs/postgres.md`,
		),
		...(superuser || privileged.length === 0 ? [] : [`has ${privileged.join(', ')}: only a superuser can restore that`]),
		...(mappings === 0 ? [] : [`has ${mappings} user mappings whose options the role may not read: they are dumped without passwords`]),
	];
}

/** What only a superuser makes again, whoever had it made: for a plan, which knows the role of the restore. */
export const superuserOnly = ({eventTriggers, allTables}: Pick<Hazards, 'eventTriggers' | 'allTables'>): string[] => [
	...eventTriggers.map(name => `the event trigger \`${printable(name)}\``),
	...allTables.map(name => `the publication \`${printable(name)}\` for all tables`),
];

/** A session that the role may not end. */
interface Session {
	pid: number;
	user: string;
	application: string;
}

/** What stands in the way of renaming the live database, whoever asks. */
export interface InTheWay extends Pick<Hazards, 'slots' | 'subscriptions' | 'prepared'> {
	sessions: Session[];
}

/** Sessions of superusers, where the role is none; of others, where it is neither a member nor may signal. */
export const inTheWaySql = (database: string): string => `json_build_object(${serverSql(quoteLiteral(database), '0')},
	'sessions', coalesce((select json_agg(json_build_object('pid', pid, 'user', usename, 'application', application_name))
		from pg_stat_activity a join pg_roles who on who.oid = a.usesysid, pg_roles role
		where a.datname = ${quoteLiteral(database)} and a.pid <> pg_backend_pid() and role.rolname = current_user and not role.rolsuper
		and (who.rolsuper or not (pg_has_role(who.oid, 'usage') or pg_has_role('pg_signal_backend', 'usage')))), ${none}))`;

/** Before anything is stopped: each with the way out. */
export function renamingProblems(
	{slots, subscriptions, prepared, sessions}: InTheWay,
	{database, role}: {database: string; role: string},
): string[] {
	const subject = `database \`${database}\``;
	return [
		...(prepared.length === 0
			? []
			: [`${subject} has the prepared transaction ${listed(prepared)}, which forbids renaming it: commit or roll it back`]),
		...(slots.length === 0
			? []
			: [
					`${subject} has the logical replication slot ${listed(slots)}, which would stay with what is replaced and hold back its WAL: drop it (\`select pg_drop_replication_slot(…)\`), and let its consumer begin anew afterwards`,
				]),
		...(subscriptions.length === 0
			? []
			: [
					`${subject} has the subscription ${listed(subscriptions)}, which would stay with what is replaced: drop it (\`drop subscription …\`), and make it again afterwards`,
				]),
		...sessions.map(
			({pid, user, application}) =>
				`role \`${role}\` may not end session ${pid} in ${subject} (user ${printable(user)}, application ${printable(application || 'unknown')}), so it could not be renamed: end it, or restore as a superuser`,
		),
	];
}

/** An extension that one database of the server may have is made in no other: `into` may be the one that the setting names. */
export function aloneProblems(
	extensions: Readonly<Record<string, string>>,
	settings: Readonly<Record<string, string | null>>,
	into: string | undefined,
): string[] {
	return Object.entries(alone)
		.filter(([extension, setting]) => extensions[extension] !== undefined && (into === undefined || settings[setting] !== into))
		.map(
			([extension, setting]) =>
				`its extension ${extension} is made in no database but that of \`${setting}\` (now \`${settings[setting] ?? 'unset'}\`), so it cannot be loaded beside: set it to a new name, restart the server, restore with \`--into\` that name, and rename the two by hand`,
		);
}

export const aloneSettingsSql = `json_build_object(${aloneSettings
	.map(setting => `${quoteLiteral(setting)}, current_setting(${quoteLiteral(setting)}, true)`)
	.join(', ')})`;
