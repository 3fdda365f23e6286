/** A Postgres server with a database whose name bites. (What else a dump must carry: postgres-round-trip.ts.) */
import {ensureImage} from '../images.ts';
import {psql} from '../stack/psql.ts';
import type {Stack} from '../stack.ts';
import {until} from '../until.ts';
import type {KindCase} from './suite.ts';

const hostile = `a"b'; $(x) host=evil`;

const quoted = `"${hostile.replaceAll('"', '""')}"`;

const sql = async (stack: Stack, text: string, database = hostile): Promise<string> => psql(stack, 'app', database, text);

export const postgresCase: KindCase = {
	kind: 'postgres',
	services: async () => ({
		app: {
			image: await ensureImage('postgres:17'),
			environment: {POSTGRES_PASSWORD: 'secret'},
			labels: {'holdfast.enable': 'true', 'holdfast.postgres': JSON.stringify([hostile])},
		},
	}),
	async begin(stack) {
		await until('the database answers', async () => sql(stack, 'select 1', 'postgres'), {timeout: 60_000});
		await sql(stack, `create database ${quoted}`, 'postgres');
		await sql(
			stack,
			`create table word (word text); create view "v;" as select upper(word) from word; create table entries (n bigserial primary key, payload text); insert into entries (payload) select md5(i::text) from generate_series(1, 20000) i`,
		);
	},
	write: async (stack, word) => sql(stack, `insert into word values ('${word}'); insert into entries (payload) values ('${word}')`),
	read: async stack =>
		sql(
			stack,
			'select * from word; select * from "v;"; select count(*), md5(string_agg(n || payload, chr(44) order by n)) from entries; select last_value from entries_n_seq',
		),
	async spoil(stack) {
		await sql(stack, 'create table gone as select 1 as one');
		await sql(stack, 'checkpoint');
		const file = await sql(stack, "select pg_relation_filepath('gone')");
		await stack.exec('app', 'sh', '-c', 'rm "$PGDATA/$1"', 'sh', file);
		return async () => sql(stack, 'drop table gone');
	},
	kept: async stack =>
		sql(stack, "select datname from pg_database where datname like '%\\_before\\_%' or datname like '%\\_restore\\_%'", 'postgres'),
};
