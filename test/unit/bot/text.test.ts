import test from 'ava';
import fc from 'fast-check';
import {code, codeBlock, date, person, plain} from '../../../bot/text.ts';
import {parseBackup, parseRestore} from '../../../bot/words.ts';
import {obeyed} from '../../support/doubles/block-kit.ts';

const hostile = fc.oneof(
	fc.string({unit: 'binary', maxLength: 300}),
	fc
		.array(
			fc.constantFrom(
				'<!channel>',
				'*x*',
				'`',
				'```',
				'\n',
				'<@U1>',
				'&lt;',
				'&',
				'_',
				'~',
				'\u202e',
				'<http://evil|click>',
				'😀',
				'\ud800',
				':tada:',
			),
			{maxLength: 60},
		)
		.map(parts => parts.join('')),
);

test('nothing within code is obeyed, whatever it is; and no code is left open', t => {
	fc.assert(
		fc.property(hostile, fc.integer({min: 1, max: 400}), (text, limit) => {
			const line = code(text, limit);
			return /^`[^`\n]+`$/.test(line) && !/[<>]/.test(line) && line.length <= limit + 3 && obeyed(line).length === 0 && line.isWellFormed();
		}),
	);
	fc.assert(
		fc.property(hostile, fc.integer({min: 1, max: 400}), (text, limit) => {
			const block = codeBlock(text, limit);
			return /^```\n[^`]+\n```$/.test(block) && !/[<>]/.test(block) && block.length <= limit + 10 && obeyed(block).length === 0;
		}),
	);
	fc.assert(
		fc.property(hostile, fc.integer({min: 2, max: 80}), (text, limit) => plain(text, limit).length <= limit && plain(text, limit) !== ''),
	);
	t.is(code('<!channel> *x*'), '`&lt;!channel&gt; *x*`');
});

test('a person is mentioned only by an id, and a time only when it is one', t => {
	t.is(person('U0ABC'), '<@U0ABC>');
	t.is(person('U1> <!channel'), '`U1&gt; &lt;!channel`');
	t.is(date('2026-11-21T03:00:00Z'), '<!date^1795230000^{date_short_pretty} {time}|2026-11-21 03:00 UTC>');
	t.is(date('<!here>'), '`&lt;!here&gt;`');
});

test('words of /backup and /restore', t => {
	t.deepEqual(parseBackup('  '), {verb: 'overview'});
	t.deepEqual(parseBackup('NOW shop/db'), {verb: 'now', target: 'shop/db'});
	t.deepEqual(parseBackup('now a&amp;b'), {verb: 'now', target: 'a&b'});
	t.deepEqual(parseBackup('history'), {verb: 'history', target: undefined});
	t.deepEqual(parseBackup('cancel r1'), {verb: 'cancel', run: 'r1'});
	t.deepEqual(parseRestore(''), {verb: 'restore', target: undefined, point: undefined});
	t.deepEqual(parseRestore('shop/db p1'), {verb: 'restore', target: 'shop/db', point: 'p1'});
	t.deepEqual(parseRestore('undo r1'), {verb: 'undo', run: 'r1'});
	for (const [text, complaint] of [
		['pionts x', /did you mean points/],
		['points', /missing: \/backup points TARGET/],
		['points a b', /too many words/],
		['check now', /too many words/],
		['zzzzzz', /\/backup help/],
	] as const) {
		const spoken = parseBackup(text);
		t.regex('complaint' in spoken ? spoken.complaint : '', complaint, text);
	}

	t.regex((parseRestore('undo') as {complaint: string}).complaint, /missing: \/restore undo RUN/);
});
