import test from 'ava';
import {readOrder, usage} from '../../../bench/order.ts';

const parts = {known: ['whole', 'dump', 'many'], byDefault: ['whole', 'dump']};

test('what is ordered, and what is measured where nothing is', t => {
	t.deepEqual(readOrder([], parts), {parts: ['whole', 'dump'], rounds: 5, scale: 1, isHelp: false});
	t.deepEqual(readOrder(['--rounds=3', '--scale', '0.1', 'many'], parts), {parts: ['many'], rounds: 3, scale: 0.1, isHelp: false});
	t.true(readOrder(['--help'], parts).isHelp);
	t.true(readOrder(['-h'], parts).isHelp);
});

for (const [argv, message] of [
	[['--rouns=3'], /^an option must be `--rounds=N`, `--scale=N` or `--help`: Unknown option '--rouns'$/],
	[['--rounds'], /^an option must be .*--rounds/],
	[['--rounds=0'], '`--rounds` must be a whole number from 1 on, got `0`'],
	[['--rounds=1.5'], '`--rounds` must be a whole number from 1 on, got `1.5`'],
	[['--scale=big'], '`--scale` must be a number greater than 0, got `big`'],
	[['--scale=Infinity'], '`--scale` must be a number greater than 0, got `Infinity`'],
	[['dumps'], 'a part must be one of whole, dump, many, got `dumps`'],
] as const) {
	test(`refused with the rule: ${argv.join(' ')}`, t => {
		t.throws(() => readOrder(argv, parts), {name: 'UsageError', message});
	});
}

test('the help names every part', t => {
	t.regex(usage(parts), /PART +whole, dump, many\n +\(default: whole, dump\)/);
});
