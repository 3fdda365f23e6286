import {mock} from 'node:test';
import test, {type ExecutionContext} from 'ava';
import {createSchedule} from '../../../../agent/schedule/schedule.ts';
import {type Due, dueTimes, type ScheduledOperation, type ScheduleEntry} from '../../../../base/due.ts';
import {UsageError} from '../../../../base/errors.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

interface Clock {
	/** Lets time pass, in steps no longer than `step`. */
	pass: (duration: number, step?: number) => void;
	/** Sets the clock; the timers do not notice, as in real life. */
	set: (to: number) => void;
}

/** One schedule under a clock of its own; the times at which targets were called. */
function simulate(t: ExecutionContext, {start, timeZone}: {start: string; timeZone: string}) {
	mock.timers.enable({apis: ['Date', 'setTimeout', 'setInterval'], now: Date.parse(start)});
	let shift = 0;
	const mocked = Date.now;
	Date.now = () => mocked() + shift;
	const calls: Array<Due & {at: number}> = [];
	const schedule = createSchedule({
		timeZone,
		async onDue(due) {
			calls.push({...due, at: Date.now()});
		},
		report: error => t.fail(String(error)),
	});
	t.teardown(() => {
		schedule.close();
		mock.timers.reset();
	});
	const clock: Clock = {
		pass(duration, step = minute) {
			for (let left = duration; left > 0; left -= step) {
				mock.timers.tick(Math.min(step, left));
			}
		},
		set(to) {
			shift = to - mocked();
		},
	};
	return {schedule, clock, calls, times: () => calls.map(({at}) => new Date(at).toISOString().slice(0, 16))};
}

const entry = (line: string, since: number, subject = 'app/db', operation: ScheduledOperation = 'backup'): ScheduleEntry => ({
	operation,
	subject,
	line,
	since,
});

test.serial('calls when a line is due, and again', t => {
	const {schedule, clock, times} = simulate(t, {start: '2026-11-21T02:00Z', timeZone: 'UTC'});
	schedule.set([entry('0 3 * * *', Date.now())]);
	t.deepEqual(schedule.next('backup', 'app/db'), new Date('2026-11-21T03:00Z'));
	clock.pass(59 * minute);
	t.deepEqual(times(), []);
	clock.pass(25 * hour);
	t.deepEqual(times(), ['2026-11-21T03:00', '2026-11-22T03:00']);
});

test.serial('calls at the very second, not at the next look at the clock', t => {
	const {schedule, clock, calls} = simulate(t, {start: '2026-11-21T02:59:30.500Z', timeZone: 'UTC'});
	schedule.set([entry('0 3 * * *', Date.now())]);
	clock.pass(minute, 100);
	t.is(calls.length, 1);
	t.true(calls[0] !== undefined && calls[0].at - Date.parse('2026-11-21T03:00Z') < 200);
});

test.serial('makes up what was missed, once and at once', t => {
	const {schedule, clock, times} = simulate(t, {start: '2026-11-21T12:00Z', timeZone: 'UTC'});
	schedule.set([entry('0 * * * *', Date.parse('2026-11-18T00:10Z')), entry('0 3 * * *', Date.parse('2026-11-21T03:00:01Z'), 'app/files')]);
	t.deepEqual(times(), ['2026-11-21T12:00']);
	clock.pass(hour);
	t.deepEqual(times(), ['2026-11-21T12:00', '2026-11-21T13:00']);
});

test.serial('a new target is not called before its time', t => {
	const {schedule, clock, times} = simulate(t, {start: '2026-11-21T12:00Z', timeZone: 'UTC'});
	schedule.set([entry('0 3 * * *', Date.now())]);
	clock.pass(hour);
	t.deepEqual(times(), []);
});

test.serial('operations on one target have entries of their own: each is made up for, changed and left out by itself', t => {
	const {schedule, clock, calls} = simulate(t, {start: '2026-11-21T12:00Z', timeZone: 'UTC'});
	const backup = entry('0 3 * * *', Date.parse('2026-11-21T03:00:01Z'));
	schedule.set([backup, entry('0 0 * * 6', Date.parse('2026-11-14T00:00:01Z'), 'app/db', 'drill')]);
	t.deepEqual(
		calls.map(({operation}) => operation),
		['drill'],
	);
	t.deepEqual(schedule.next('drill', 'app/db'), new Date('2026-11-28T00:00Z'));
	t.deepEqual(schedule.next('backup', 'app/db'), new Date('2026-11-22T03:00Z'));
	t.is(schedule.next('check', 'app/db'), null);
	schedule.set([backup, entry('0 13 * * *', 0, 'app/db', 'drill'), entry('0 14 * * *', Date.now(), 'repository:primary', 'check')]);
	clock.pass(2 * hour);
	schedule.set([backup]);
	clock.pass(day);
	t.deepEqual(
		calls.slice(1).map(({operation, subject, at}) => [operation, subject, new Date(at).toISOString().slice(0, 16)]),
		[
			['drill', 'app/db', '2026-11-21T13:00'],
			['check', 'repository:primary', '2026-11-21T14:00'],
			['backup', 'app/db', '2026-11-22T03:00'],
		],
	);
});

const dst: Array<[timeZone: string, start: string, line: string, days: number]> = [
	['Europe/Berlin', '2026-10-24T10:00Z', '30 2 * * *', 3],
	['Europe/Berlin', '2027-03-27T10:00Z', '30 2 * * *', 3],
	['America/New_York', '2026-10-31T12:00Z', '30 1 * * *', 3],
	['America/New_York', '2027-03-13T12:00Z', '30 2 * * *', 3],
	['Australia/Lord_Howe', '2027-04-02T18:00Z', '45 1 * * *', 3],
	['Australia/Lord_Howe', '2026-10-02T18:00Z', '15 2 * * *', 3],
];

for (const [timeZone, start, line, days] of dst) {
	test.serial(`${timeZone} from ${start}: ${line} is called once a day, every hour every hour`, t => {
		const {schedule, clock, calls} = simulate(t, {start, timeZone});
		schedule.set([entry(line, Date.now()), entry('0 * * * *', Date.now(), 'app/hourly')]);
		clock.pass(days * day);
		const daily = calls.filter(({subject}) => subject === 'app/db').map(({at}) => at);
		const format = new Intl.DateTimeFormat('en-CA', {timeZone, dateStyle: 'short'});
		t.is(daily.length, days);
		t.is(new Set(daily.map(at => format.format(at))).size, days);
		const hourly = calls.filter(({subject}) => subject === 'app/hourly').length;
		t.true(Math.abs(hourly - days * 24) <= (timeZone === 'Australia/Lord_Howe' ? 1 : 0), `${hourly} calls in ${days} days`);
	});
}

test.serial('restarted in the repeated hour, it does not call again', t => {
	const {schedule, clock, times} = simulate(t, {start: '2026-10-25T01:10Z', timeZone: 'Europe/Berlin'});
	schedule.set([entry('30 2 * * *', Date.parse('2026-10-25T00:30:05Z'))]);
	clock.pass(6 * hour);
	t.deepEqual(times(), []);
});

test.serial('over a year each due time is met exactly once', t => {
	const timeZone = 'Europe/Berlin';
	const {schedule, clock, calls} = simulate(t, {start: '2026-06-01T00:00:13.250Z', timeZone});
	const start = Date.now();
	const lines = {daily: '0 3 * * *', gap: '30 2 * * *', sixth: '17 */6 * * *', yearly: '5 4 1 3 *'};
	schedule.set(Object.entries(lines).map(([target, line]) => entry(line, start, target)));
	clock.pass(366 * day, 3 * minute);
	for (const [target, line] of Object.entries(lines)) {
		const expected: number[] = [];
		const after = dueTimes(line, timeZone);
		for (let due = after(start); due <= Date.now(); due = after(due)) {
			expected.push(due);
		}

		const met = calls.filter(call => call.subject === target).map(({at}) => at);
		t.is(met.length, expected.length, target);
		t.true(
			met.every((at, index) => at >= (expected[index] ?? 0) && at - (expected[index] ?? 0) <= 3 * minute),
			target,
		);
	}
});

test.serial('a time further away than setTimeout can count', t => {
	const {schedule, clock, times} = simulate(t, {start: '2026-01-02T00:00Z', timeZone: 'UTC'});
	schedule.set([entry('0 0 1 7 *', Date.now())]);
	clock.pass(179 * day, hour);
	t.deepEqual(times(), []);
	clock.pass(2 * day);
	t.deepEqual(times(), ['2026-07-01T00:00']);
});

test.serial('the clock is set forward over several due times: one call, within a minute', t => {
	const {schedule, clock, calls} = simulate(t, {start: '2026-11-21T00:10Z', timeZone: 'UTC'});
	schedule.set([entry('0 * * * *', Date.now())]);
	clock.set(Date.parse('2026-11-21T09:30Z'));
	clock.pass(minute);
	t.is(calls.length, 1);
	t.deepEqual(schedule.next('backup', 'app/db'), new Date('2026-11-21T10:00Z'));
});

test.serial('the clock is set back a little after a call: no second call', t => {
	const {schedule, clock, calls} = simulate(t, {start: '2026-11-21T02:30Z', timeZone: 'UTC'});
	schedule.set([entry('0 3 * * *', Date.now())]);
	clock.pass(31 * minute);
	clock.set(Date.parse('2026-11-21T02:58Z'));
	clock.pass(20 * hour);
	t.is(calls.length, 1);
});

test.serial('the clock was a year ahead and is set right: no due time is lost', t => {
	const {schedule, clock, times} = simulate(t, {start: '2027-11-21T02:30Z', timeZone: 'UTC'});
	schedule.set([entry('0 3 * * *', Date.now())]);
	clock.set(Date.parse('2026-11-21T02:40Z'));
	clock.pass(30 * minute);
	t.deepEqual(times(), ['2026-11-21T03:00']);
});

test.serial('what is left out is not called any more, what is unchanged keeps its place', t => {
	const {schedule, clock, calls} = simulate(t, {start: '2026-11-21T02:30Z', timeZone: 'UTC'});
	schedule.set([entry('0 3 * * *', Date.now(), 'gone'), entry('0 3 * * *', Date.now(), 'kept')]);
	schedule.set([entry('0 3 * * *', 0, 'kept')]);
	t.is(schedule.next('backup', 'gone'), null);
	clock.pass(hour);
	t.deepEqual(
		calls.map(({subject}) => subject),
		['kept'],
	);
});

test.serial('a changed line counts from now', t => {
	const {schedule, clock, times} = simulate(t, {start: '2026-11-21T12:00Z', timeZone: 'UTC'});
	schedule.set([entry('0 3 * * *', Date.now())]);
	schedule.set([entry('0 11 * * *', Date.parse('2026-11-21T03:00Z'))]);
	t.deepEqual(times(), []);
	clock.pass(day);
	t.deepEqual(times(), ['2026-11-22T11:00']);
});

test.serial('nothing is called after close', t => {
	const {schedule, clock, calls} = simulate(t, {start: '2026-11-21T02:30Z', timeZone: 'UTC'});
	schedule.set([entry('0 3 * * *', Date.now())]);
	schedule.close();
	clock.pass(2 * hour);
	t.is(calls.length, 0);
});

test.serial('a bad line throws and replaces nothing', t => {
	const {schedule, clock, times} = simulate(t, {start: '2026-11-21T02:30Z', timeZone: 'UTC'});
	schedule.set([entry('0 3 * * *', Date.now())]);
	t.throws(() => schedule.set([entry('0 4 * * *', 0), entry('0 25 * * *', 0, 'app/files')]), {
		instanceOf: UsageError,
		message: /0 25 \* \* \*/,
	});
	clock.pass(hour);
	t.deepEqual(times(), ['2026-11-21T03:00']);
});

test('a time zone that is none throws', t => {
	t.throws(() => createSchedule({timeZone: 'Mars/Olympus', onDue: async () => {}, report() {}}), {instanceOf: UsageError});
});

test('a call that fails is reported with what was due', async t => {
	const reported = Promise.withResolvers<[unknown, Due]>();
	const failure = new Error('busy');
	const schedule = createSchedule({
		timeZone: 'UTC',
		onDue() {
			throw failure;
		},
		report: (error, due) => reported.resolve([error, due]),
	});
	t.teardown(schedule.close);
	schedule.set([entry('@hourly', Date.now() - day)]);
	t.deepEqual(await reported.promise, [failure, {operation: 'backup', subject: 'app/db'}]);
});
