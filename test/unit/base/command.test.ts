import test from 'ava';
import {lastLines} from '../../../base/command.ts';

test('of a long error output the end is kept, and the line that tells what is wrong', t => {
	t.is(lastLines(''), '(it printed nothing)');
	t.is(lastLines('a\nb\nc\nd\ne\nf\n'), 'b\nc\nd\ne\nf');
	const long = lastLines(`NOTICE: x\npsql:1: ERROR:  relation "a" does not exist\nLINE 1: ${'y'.repeat(3000)}\n`);
	t.regex(long, /^psql:1: ERROR: {2}relation "a" does not exist\n…\ny+$/);
	t.true(long.length < 1100);
	const many = lastLines(`Fatal: unable to open\n${'goroutine\n'.repeat(50)}`);
	t.regex(many, /^Fatal: unable to open\n…\n/);
	t.is(lastLines('ERROR:  first\nERROR:  second'), 'ERROR:  first\nERROR:  second');
});
