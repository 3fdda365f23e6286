import test from 'ava';
import {databaseProperties} from '../../../../../agent/sources/postgres/properties.ts';
import type {PostgresServer} from '../../../../../agent/sources/postgres/server.ts';
import {lackingTablespaces, outsideTablespaces} from '../../../../../agent/sources/postgres/tablespaces.ts';

const globals = `CREATE ROLE app;
CREATE TABLESPACE fast OWNER app LOCATION '/x';
CREATE TABLESPACE "On SSD" OWNER app LOCATION '/y';
CREATE TABLESPACE "quoted" OWNER app LOCATION '/z';`;

const serverWith = (...names: string[]) => ({anywhere: async () => names.map(name => [JSON.stringify(name)])}) as unknown as PostgresServer;

test('what the dumped server had and this one lacks, however its name is written', async t => {
	t.deepEqual(await lackingTablespaces(serverWith('pg_default', 'quoted'), globals), ['fast', '"On SSD"']);
	t.deepEqual(await lackingTablespaces(serverWith('fast', 'On SSD', 'quoted'), globals), []);
	t.deepEqual(await lackingTablespaces(undefined as never, 'CREATE ROLE app;'), [], 'nobody is asked');
});

test('a database is in the default one where its own is not there, and keeps it where it is', t => {
	const settings = [
		{role: null, name: 'temp_tablespaces', value: 'fast'},
		{role: null, name: 'work_mem', value: '1MB'},
	];
	const properties = (tablespace: string) =>
		databaseProperties.parse({owner: 'app', encoding: 'UTF8', collate: 'C', ctype: 'C', tablespace, settings});
	t.is(outsideTablespaces(properties('On SSD'), ['fast', '"On SSD"']).tablespace, null);
	t.is(outsideTablespaces(properties('fast'), ['fast']).tablespace, null);
	t.is(outsideTablespaces(properties('quoted'), ['fast']).tablespace, 'quoted');
	t.deepEqual(
		outsideTablespaces(properties('fast'), ['fast']).settings.map(({name}) => name),
		['work_mem'],
	);
	t.deepEqual(outsideTablespaces(properties('fast'), []), properties('fast'));
});
