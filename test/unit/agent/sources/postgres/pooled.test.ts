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

const markIn = (sql: string | undefined): string | undefined => /'([0-9a-f]{16})'/.exec(sql ?? '')?.[1];

/** Of each second program, what it is told in each of its transactions; each first one has session 7. */
function pooler(answers: (mark: string, program: number) => string): Place {
	let mark = '';
	let programs = 0;
	return server(sql => {
		const made = markIn(sql[0]);
		if (made !== undefined) {
			mark = made;
			return '7\n'.repeat(sql.length);
		}

		programs++;
		return `${answers(mark, programs)}\n`.repeat(sql.length);
	});
}

test('a session that another is given afterwards, as an idle pooler does', async t => {
	await t.throwsAsync(look(pooler(mark => `7 t ${mark}`)), {message});
});

test('whoever comes in between gets the session first: it is looked again', async t => {
	await t.throwsAsync(look(pooler((mark, program) => (program < 4 ? '8 t' : `7 t ${mark}`))), {message});
});

test('a pooler that takes back what a session had set, and one that never gives the same', async t => {
	let programs = 0;
	const settled = pooler(() => {
		programs++;
		return '7 t';
	});
	t.true(await look(settled));
	t.is(programs, 1);
	t.false(await look(pooler(() => '8 t')));
});

test('transactions of different sessions, as a busy one has them', async t => {
	await t.throwsAsync(look(server(sql => sql.map((_, index) => `${index % 3}\n`).join(''))), {message});
});

test('a server itself, also where a session ends late, and one that lets nobody in', async t => {
	let programs = 0;
	const lingering = pooler((_, program) => {
		programs = program;
		return program === 1 ? '8 t' : '9 f';
	});
	t.true(await look(lingering));
	t.is(programs, 2);
	t.false(await look(server(() => undefined)), 'it is looked at again');
});
