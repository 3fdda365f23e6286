import test from 'ava';
import {databaseProperties, propertiesSql} from '../../../../../agent/sources/postgres/properties.ts';

const properties = (settings: Array<{role: string | null; name: string; value: string}>) =>
	databaseProperties.parse({owner: 'o', encoding: 'UTF8', collate: 'C', ctype: 'C', settings});

test('a setting does not hold while it is given: a role may not give it, and a short time-out would end it', t => {
	t.deepEqual(
		propertiesSql(
			'a"b',
			properties([
				{role: null, name: 'role', value: "it's"},
				{role: 'Odd', name: 'app.secret', value: 'x'},
			]),
		),
		[`alter database "a""b" set "role" to 'it''s'`, `alter role "Odd" in database "a""b" set "app"."secret" to 'x'`],
	);
});

test('a list is given as it is, element by element quoted already', t => {
	t.deepEqual(propertiesSql('d', properties([{role: null, name: 'search_path', value: '"Odd, Name", public'}])), [
		`begin; select set_config('search_path', '"Odd, Name", public', true); alter database "d" set "search_path" from current; commit`,
	]);
});
