import test from 'ava';
import {overBy, scheduleOf, unknownZones} from '../../../../../agent/sources/mariadb/schedule.ts';

test('events are known by the time zones that they need, and by when a server drops them', async t => {
	const rows = [
		['daily', 'Europe/Berlin', ''],
		['once', 'Europe/Berlin', '1800000000.000000'],
		['offset', '+02:00', ''],
	];
	t.deepEqual(await scheduleOf({query: async () => rows}, 'shop'), {
		timeZones: ['Europe/Berlin', '+02:00'],
		ending: [{name: 'once', at: 1_800_000_000}],
	});
});

test('an event whose time is over is not expected', async t => {
	const schedule = {
		timeZones: [],
		ending: [
			{name: 'past', at: 100},
			{name: 'soon', at: 230},
			{name: 'later', at: 300},
		],
	};
	t.deepEqual(await overBy({query: async () => [['200']]}, schedule), ['past', 'soon']);
	t.deepEqual(await overBy({query: async () => t.fail() as never}, {timeZones: [], ending: []}), []);
});

test('a time zone is unknown where the server cannot convert', async t => {
	const query = async (sql: string) => [[sql.includes(Buffer.from('Mars').toString('hex')) ? '1' : '0']];
	t.deepEqual(await unknownZones({query}, ['SYSTEM', 'Mars', '+02:00']), ['Mars']);
});
