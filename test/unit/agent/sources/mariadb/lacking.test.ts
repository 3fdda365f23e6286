/** What an account may not dump is tried; the server is a function that refuses. */
import test from 'ava';
import {ServerRefusal} from '../../../../../agent/sources/mariadb/client.ts';
import {lackingOf} from '../../../../../agent/sources/mariadb/lacking.ts';

/** Refuses every question that has one of these in it. */
function serverOf(...refused: string[]) {
	const asked: string[] = [];
	return {
		asked,
		async query(sql: string) {
			asked.push(sql);
			if (refused.some(part => sql.includes(part))) {
				throw new ServerRefusal(`ERROR ${sql.startsWith('show events') ? 1044 : 1142} (42000): denied`);
			}

			return sql.includes('current_user') ? [["o'k@h@%"]] : sql.includes('information_schema.views') ? [['shop', 'v']] : [];
		},
	};
}

test('an account that may do all is asked in one question', async t => {
	const server = serverOf();
	t.is((await lackingOf(server, ['shop', 'wiki'])).size, 0);
	t.is(server.asked.length, 2);
	t.is((await lackingOf(server, [])).size, 0);
});

test('what lacks is said of each database, with the statement that gives it', async t => {
	t.deepEqual(
		[...(await lackingOf(serverOf('show events from `shop`', 'show create view'), ['shop', 'wiki']))],
		[['shop', {privileges: ['EVENT', 'SHOW VIEW'], grant: "grant EVENT, SHOW VIEW on `shop`.* to 'o\\'k@h'@'%'"}]],
	);
	t.deepEqual([...(await lackingOf(serverOf('`wiki`'), ['shop', 'wiki'])).keys()], ['wiki']);
});

test('what goes wrong otherwise is no privilege that lacks', async t => {
	const query = async (sql: string) =>
		sql.startsWith('show') ? Promise.reject(new ServerRefusal('ERROR 1205 (HY000): Lock wait timeout')) : [];
	t.is((await lackingOf({query}, ['shop'])).size, 0);
});
