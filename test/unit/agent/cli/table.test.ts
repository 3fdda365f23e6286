import test from 'ava';
import fc from 'fast-check';
import {table, wrap} from '../../../../agent/cli/table.ts';
import {printableJson, styled, width} from '../../../../agent/cli/text.ts';
import {printable} from '../../../../base/printable.ts';
import {duration, when} from '../../../../base/units.ts';

test('a table is aligned, right where it is asked to', t => {
	const lines = table({
		columns: [{title: 'NAME'}, {title: 'SIZE', align: 'right'}],
		rows: [
			['日本', 5],
			['a', styled('red', 1234)],
		],
		width: 80,
		colour: false,
	});
	t.deepEqual(lines, ['NAME  SIZE', '日本     5', 'a     1234']);
});

test('colour does not count as width', t => {
	const options = {columns: [{title: 'A'}, {title: 'B'}], rows: [[styled('red', 'x'), 'y']], width: 80};
	const stripped = table({...options, colour: true}).map(line => line.replaceAll(/\u001b\[\d+m/g, ''));
	t.deepEqual(stripped, table({...options, colour: false}));
});

test('a table fits where its columns may wrap, and loses nothing', t => {
	t.notThrows(() =>
		fc.assert(
			fc.property(fc.array(fc.string({maxLength: 60}), {minLength: 1, maxLength: 5}), fc.integer({min: 30, max: 90}), (cells, columns) => {
				const lines = table({
					columns: [
						{title: 'A', wrap: 10},
						{title: 'B', wrap: 10},
					],
					rows: cells.map(cell => [cell, cell]),
					width: columns,
					colour: false,
				});
				return lines.every(line => width(line) <= columns);
			}),
		),
	);
	t.notThrows(() =>
		fc.assert(
			fc.property(fc.string({unit: 'grapheme', maxLength: 80}), fc.integer({min: 2, max: 20}), (text, columns) => {
				const wrapped = wrap(text, columns);
				return wrapped.join('').replaceAll(' ', '') === text.replaceAll(' ', '') && wrapped.every(line => width(line) <= columns);
			}),
		),
	);
});

test('what is printable holds no control character, and JSON stays the same value', t => {
	fc.assert(
		fc.property(fc.string({unit: 'binary'}), text => {
			const controls = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
			return (
				!controls.test(printable(text)) &&
				!controls.test(printableJson({text})) &&
				(JSON.parse(printableJson({text})) as {text: string}).text === text
			);
		}),
	);
	t.is(printable('a\u001b[31m\n\u202e'), 'a\\x1b[31m\\n\\u202e');
});

test('durations and times', t => {
	t.deepEqual([0, 0.34, 2.5, 59.96, 192.4, 90_000].map(duration), ['0ms', '340ms', '2.5s', '59.9s', '3m 12s', '1d 1h']);
	const now = Date.parse('2026-11-03T12:00:00Z');
	t.deepEqual(
		['2026-11-03T12:00:00.400Z', '2026-11-03T11:59:00Z', '2026-11-03T14:59:00Z', '2026-10-24T12:00:00Z'].map(iso => when(iso, now)),
		['now', '1 min ago', 'in 2 h', '10 d ago'],
	);
	t.is(when(null, now), '-');
});
