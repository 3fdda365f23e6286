import test from 'ava';
import fc from 'fast-check';
import {listedSnapshot, parseMessage} from '../../../../agent/restic/messages.ts';

test('a summary is read, and its unknown fields are ignored', t => {
	const line =
		'{"message_type":"summary","snapshot_id":"ab","data_added":7,"data_added_packed":5,"total_bytes_processed":9,"from_the_future":{"a":[1]}}';
	t.deepEqual(parseMessage(line), {
		message_type: 'summary',
		snapshot_id: 'ab',
		data_added: 7,
		data_added_packed: 5,
		total_bytes_processed: 9,
	});
});

test('an error names its item', t => {
	const line = '{"message_type":"error","error":{"message":"open /a: permission denied"},"during":"archival","item":"/a"}';
	const message = parseMessage(line);
	t.is(message?.message_type === 'error' ? message.item : undefined, '/a');
});

test('unknown kinds of message are ignored', t => {
	t.is(parseMessage('{"message_type":"change","path":"/a"}'), undefined);
	t.is(parseMessage('{"message_type":7}'), undefined);
	t.is(parseMessage(''), undefined);
});

test('a line that is not JSON is kept as text', t => {
	t.deepEqual(parseMessage('  Fatal: oh no '), {message_type: 'text', text: 'Fatal: oh no'});
	t.deepEqual(parseMessage('[1]'), {message_type: 'text', text: '[1]'});
	t.deepEqual(parseMessage('null'), {message_type: 'text', text: 'null'});
});

test('no line is ever an exception', t => {
	const line = fc.oneof(
		fc.string(),
		fc.json(),
		fc.record({message_type: fc.constantFrom('status', 'error', 'summary')}).map(value => JSON.stringify(value)),
	);
	fc.assert(
		fc.property(line, text => {
			t.notThrows(() => parseMessage(text));
		}),
	);
});

test('snapshots of an old restic have no summary and no tags', t => {
	const snapshot = listedSnapshot.parse({id: 'ab', time: '2026-01-31T12:00:00.5Z', hostname: 'h', paths: ['/a'], extra: 1});
	t.is(snapshot.summary, undefined);
	t.is(snapshot.time.toISOString(), '2026-01-31T12:00:00.500Z');
});
