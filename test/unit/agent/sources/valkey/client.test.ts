import {PassThrough} from 'node:stream';
import test from 'ava';
import {countKeys, openClient, readInfo, ValkeyRefusal} from '../../../../../agent/sources/valkey/client.ts';
import {quoteWord} from '../../../../../agent/sources/valkey/words.ts';
import type {Command} from '../../../../../base/command.ts';
import {linesOf} from '../../../../../base/lines.ts';

/** A client program: `answers` gives lines for a line. */
function program(answers: (line: string) => string[]) {
	const heard: string[] = [];
	const place = async (command: Command) => {
		const stdin = new PassThrough();
		const stdout = new PassThrough();
		const ended = Promise.withResolvers<{exitCode: number; stderr: string}>();
		(async () => {
			for await (const line of linesOf(stdin)) {
				heard.push(line);
				stdout.write(
					answers(line)
						.map(each => `${each}\n`)
						.join(''),
				);
			}

			stdout.end();
			ended.resolve({exitCode: 0, stderr: ''});
		})();
		if (answers('trouble').length > 0) {
			command.onError?.(answers('trouble')[0] ?? '');
		}

		return {stdin, stdout, done: ended.promise, kill: async () => {}};
	};
	return {heard, open: async () => openClient(place, {argv: ['valkey-cli'], answerMs: 5000})};
}

const mark = 'holdfast-has-heard';

test('an answer is all lines up to the mark, and nothing in a word means anything to the program', async t => {
	const {heard, open} = program(line => (line.startsWith('ECHO') ? [mark] : line === 'trouble' ? [] : ['# Server', 'a:1', '']));
	const client = await open();
	t.is(await client.ask(['INFO', 'x "y"\n$(z)']), '# Server\na:1');
	t.deepEqual(heard, ['"INFO" "x\\x20\\x22y\\x22\\x0a\\x24\\x28z\\x29"', `ECHO ${mark}`]);
	await client.close();
});

test('refusals are errors with the code; who may not even echo is understood, and the session goes on', async t => {
	let isIn = false;
	const {open} = program(line => {
		if (line === 'trouble') {
			return [];
		}

		if (line.startsWith('"AUTH"')) {
			isIn = line.includes('right');
			return isIn ? ['OK'] : ['WRONGPASS invalid', ''];
		}

		if (!isIn) {
			return ['NOAUTH Authentication required.', ''];
		}

		return line.startsWith('ECHO') ? ["NOPERM this user has no permissions to run the 'echo' command", ''] : ['fine'];
	});
	const client = await open();
	t.is((await t.throwsAsync<ValkeyRefusal>(client.ask(['ECHO', 'x']), {instanceOf: ValkeyRefusal})).code, 'NOAUTH');
	const wrong = await t.throwsAsync<ValkeyRefusal>(client.login('keeper', 'hush'), {instanceOf: ValkeyRefusal});
	t.is(wrong.code, 'WRONGPASS');
	t.false(wrong.message.includes('hush'));
	await client.login('keeper', 'right');
	t.is(await client.ask(['BGSAVE']), 'fine');
	t.is(await client.ask(['BGSAVE']), 'fine');
	await client.close();
});

test('a server that cannot be reached is an error at once, not an answer that never comes', async t => {
	const {open} = program(line => (line === 'trouble' ? ['Could not connect to Valkey at 127.0.0.1:6379: Connection refused'] : []));
	const client = await open();
	await t.throwsAsync(client.ask(['ECHO', 'x']), {message: /Could not connect.*refused/});
	await client.close();
});

test('what a server says of itself', t => {
	const info = readInfo(
		'# Keyspace\r\ndb0:keys=3,expires=1,avg_ttl=5\r\ndb7:keys=2,expires=0,avg_ttl=0\r\nrole:master\r\ndbx:keys=9,expires=9',
	);
	t.is(info.get('role'), 'master');
	t.deepEqual(countKeys(info), {keys: 5, expires: 1});
	t.is(quoteWord('é:/a.b-c'), '"\\xc3\\xa9:/a.b-c"');
});
