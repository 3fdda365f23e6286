/** What the state database looks like. Each step leads from one version (`PRAGMA user_version`) to the next; a released step never changes. */
export const migrations: readonly string[] = [
	`
	create table agent (id text not null) strict;

	create table runs (
		run text primary key,
		target text not null,
		operation text not null,
		trigger text not null,
		state text not null check (state in ('queued', 'running', 'finished')),
		outcome text,
		queued_at integer not null,
		started_at integer,
		finished_at integer,
		result text
	) strict;
	create index runs_by_time on runs (queued_at);
	create index runs_by_target on runs (target, queued_at);
	create index runs_unfinished on runs (queued_at) where state <> 'finished';
	create index runs_by_end on runs (finished_at) where state = 'finished';

	create table events (
		id integer primary key,
		run text not null references runs,
		type text not null,
		subject text,
		event text not null
	) strict;
	create index events_by_run on events (run, id);
	create index progress on events (run, subject) where type = 'progress';

	create table undos (id integer primary key autoincrement, run text not null, undo text not null) strict;
	create table repositories (location_sha256 text primary key, id text not null) strict;
	create table targets (target text primary key, first_seen integer not null) strict;
	`,
	`
	create table restores (
		run text primary key,
		target text not null,
		point text not null,
		phase text not null check (phase in ('loading', 'swapping', 'swapped', 'undoing', 'finishing')),
		replacements text not null,
		swapped_at integer,
		settled_by text
	) strict;
	`,
	`
	create table audit (
		id integer primary key autoincrement,
		at integer not null,
		who text not null,
		place text not null,
		action text not null,
		subject text not null,
		decision text not null check (decision in ('allowed', 'refused')),
		reason text,
		reference text unique,
		run text,
		outcome text
	) strict;
	create index audit_refused on audit (id) where decision = 'refused';
	create table notes (key text primary key, note text not null) strict;
	`,
	`
	create table forgetting (snapshot text primary key) strict;
	create table accepted (target text primary key, up_to integer not null) strict;
	create table suspicions (target text primary key, reason text not null) strict;
	create table hosts (host text primary key) strict;
	`,
	`
	alter table restores add column kept_in text not null default 'primary';
	`,
	`
	create table restores_with_failed (
		run text primary key,
		target text not null,
		point text not null,
		phase text not null check (phase in ('loading', 'swapping', 'swapped', 'undoing', 'failed', 'finishing')),
		replacements text not null,
		swapped_at integer,
		settled_by text,
		kept_in text not null default 'primary'
	) strict;
	insert into restores_with_failed select run, target, point, phase, replacements, swapped_at, settled_by, kept_in from restores;
	drop table restores;
	alter table restores_with_failed rename to restores;
	`,
	`
	alter table restores add column ran text not null default '[]';
	`,
	`
	create table deeds (
		kind text not null check (kind in ('adopt', 'adopt-host', 'move')),
		made_by text not null,
		what text not null,
		moved_to text not null,
		at integer not null,
		primary key (kind, made_by, what, moved_to, at)
	) strict;
	create table watched (target text primary key, gone_since integer) strict;
	create table told (subject text primary key, what text not null) strict;
	`,
	`
	alter table repositories add column append_only integer not null default 0;
	`,
	`
	alter table hosts add column is_shared integer not null default 0;
	`,
	`
	alter table restores add column unjudged text not null default '[]';
	`,
	`
	alter table watched add column rested_at integer;
	`,
	`
	-- Holds the rowid, too: the order of asking, whatever the clock said.
	create index runs_of_target on runs (target);
	`,
	`
	alter table watched add column here_since integer;
	`,
	`
	-- How new a file is that may have changed while it was read into that snapshot; null: none did.
	create table newest (target text not null, source text not null, snapshot text not null, at integer, primary key (target, source)) strict;
	`,
	`
	alter table watched add column storages text;
	`,
];
