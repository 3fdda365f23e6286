import test from 'ava';
import {ending, lastLines, printedBy} from '../../../base/command.ts';
import {here} from '../../../base/here.ts';

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

test('a command that prints without end is ended where all of it is kept', async t => {
	const running = await here({argv: ['sh', '-c', 'exec yes']});
	await t.throwsAsync(printedBy(running, 1_000_000), {message: /^it printed more than 1 MB/});
	t.is((await running.done).exitCode, 137);
});

test('of a command that may print any amount the end is kept', async t => {
	const before = process.memoryUsage().rss;
	const {exitCode, stdout, stderr} = await ending(here, {
		argv: ['sh', '-c', 'head -c 300000000 /dev/zero | tr "\\0" x; echo end; echo why >&2; exit 3'],
	});
	t.deepEqual([exitCode, stderr, stdout.slice(-5), stdout.length], [3, 'why\n', 'xend\n', 16_384]);
	t.true(process.memoryUsage().rss - before < 150 * 1024 ** 2);
});
