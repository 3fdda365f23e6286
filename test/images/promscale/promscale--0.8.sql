-- The schemas of the real one. That of the data is no member of it, as after the real one's migrations: a dump makes it again. So this script
-- fails where the data is there already, and a restore that runs it first finds the schema there.
create schema _prom_catalog;
create schema prom_api;
create schema prom_data;
alter extension promscale drop schema prom_data;

create table _prom_catalog.metric (id int primary key, metric_name text not null);
select pg_catalog.pg_extension_config_dump('_prom_catalog.metric', '');

-- What happened around a restore, in its order; no part of a dump
create table _prom_catalog.journal (n serial primary key, what text not null);
insert into _prom_catalog.journal (what)
	select 'made while timescaledb.restoring is ' || coalesce(current_setting('timescaledb.restoring', true), 'off');

create function prom_api.promscale_post_restore() returns void language plpgsql as $$
begin
	if not exists (select from _prom_catalog.journal where what = 'made while timescaledb.restoring is on') then
		raise exception 'promscale must be made after timescaledb_pre_restore()';
	end if;
	if current_setting('timescaledb.restoring') = 'on' then
		raise exception 'promscale_post_restore() must come after timescaledb_post_restore()';
	end if;
	insert into _prom_catalog.journal (what) values ('told with ' || (select count(*) from _prom_catalog.metric) || ' metrics');
end
$$;
