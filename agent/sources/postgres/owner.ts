/** What a dump without owners left with whoever restored it is given to the owner of the database, so that the application may use it. */
import {quoteLiteral} from './sql.ts';

/** Not what an extension made, and not a sequence that goes with its column. */
const ownSql = (catalog: string, oid: string) =>
	`not exists (select from pg_depend where classid = '${catalog}'::regclass and objid = ${oid} and deptype in ('e', 'a', 'i'))`;

const objects = [
	`select format('schema %I', nspname) from pg_namespace n where nspowner = me and nspname !~ '^pg_' and ${ownSql('pg_namespace', 'n.oid')}`,
	`select format('%s %s', case relkind when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table' when 'S' then 'sequence' else 'table' end,
		c.oid::regclass) from pg_class c join pg_namespace n on n.oid = relnamespace
		where relowner = me and relkind in ('r', 'p', 'v', 'm', 'f', 'S') and nspname !~ '^pg_' and ${ownSql('pg_class', 'c.oid')}`,
	`select format('routine %s', p.oid::regprocedure) from pg_proc p join pg_namespace n on n.oid = pronamespace
		where proowner = me and nspname !~ '^pg_' and ${ownSql('pg_proc', 'p.oid')}`,
	`select format('type %s', t.oid::regtype) from pg_type t join pg_namespace n on n.oid = typnamespace left join pg_class c on c.oid = typrelid
		where typowner = me and nspname !~ '^pg_' and (typtype in ('d', 'e', 'r') or relkind = 'c') and ${ownSql('pg_type', 't.oid')}`,
	"select format('large object %s', oid) from pg_largeobject_metadata where lomowner = me",
];

/** The owner reaches the block as a setting: no quoting of it could end the block. */
export const giveToOwner = (owner: string): string[] => [
	`select set_config('holdfast.owner', ${quoteLiteral(owner)}, false)`,
	`do $$
declare
	me constant oid := (select oid from pg_roles where rolname = current_user);
	what text;
begin
	for what in ${objects.join('\n	union all ')} loop
		execute format('alter %s owner to %I', what, current_setting('holdfast.owner'));
	end loop;
end
$$`,
];
