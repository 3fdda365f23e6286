/** Which values a dump rounds; the server is a function that answers. */
import test from 'ava';
import {floatsOf} from '../../../../../agent/sources/mariadb/floats.ts';

const columns = [
	['t', 'exact'],
	['t', 'rounded'],
	['u', 'slow'],
];

test('columns with values of more than six digits, and those of which not all could be looked at', async t => {
	const query = async (sql: string) => {
		if (sql.includes('information_schema')) {
			return columns;
		}

		if (sql.includes('slow')) {
			throw new Error('max_statement_time exceeded');
		}

		return [[sql.includes('`rounded`') ? '1' : '0']];
	};
	t.deepEqual(await floatsOf({query}, 'shop'), {rounded: ['t.rounded'], unknown: ['u.slow']});
});

test('all of them together have a limit', async t => {
	let now = 0;
	const query = async (sql: string) => {
		now += sql.includes('information_schema') ? 0 : 15_000;
		return sql.includes('information_schema') ? columns : [['0']];
	};
	t.deepEqual(await floatsOf({query}, 'shop', () => now), {rounded: [], unknown: ['u.slow']});
});
