import test from 'ava';
import {assertNotPooled} from '../../../../../agent/sources/postgres/pooled.ts';
import type {Command, Place} from '../../../../../base/command.ts';
import {here} from '../../../../../base/here.ts';

/** @param answer what psql prints, if it is let in */
const server =
	(answer: (sql: readonly string[]) => string | undefined): Place =>
	async command => {
		const sql = command.argv.filter((_, index) => command.argv[index - 1] === '-c');
		const printed = answer(sql);
		const argv: Command['argv'] = printed === undefined ? ['false'] : ['printf', '%s', printed];
		return here({...command, argv});
	};

const look = async (client: Place) => assertNotPooled({client, connection: [], where: 'at `db:5432`'});
const message = /the server at `db:5432` is a pooler that hands sessions on/;

test('a session that another is given afterwards, as an idle pooler does', async t => {
	let mark = '';
	await t.throwsAsync(
		look(
			server(sql => {
				if (sql.length === 1) {
					return mark;
				}

				mark = /'([0-9a-f]{16})'/.exec(sql[0] ?? '')?.[1] ?? '';
				return '7\n'.repeat(sql.length);
			}),
		),
		{message},
	);
});

test('transactions of different sessions, as a busy one has them', async t => {
	await t.throwsAsync(look(server(sql => sql.map((_, index) => `${index % 3}\n`).join(''))), {message});
});

test('a server itself, and one that lets nobody in', async t => {
	await t.notThrowsAsync(look(server(sql => (sql.length === 1 ? '' : '7\n'.repeat(sql.length)))));
	await t.notThrowsAsync(look(server(() => undefined)));
});
