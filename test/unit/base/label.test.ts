/** With another prefix, the next step that a person is told must still do something. */
import {readdirSync, readFileSync} from 'node:fs';
import test from 'ava';
import {defaultPrefix, label, useLabelPrefix} from '../../../base/label.ts';

const sources = ['agent', 'base', 'bot', 'docker'].flatMap(folder =>
	readdirSync(folder, {recursive: true, encoding: 'utf8'})
		.filter(file => file.endsWith('.ts'))
		.map(file => `${folder}/${file}`),
);

/** Names that no prefix changes: labels of our own containers and of services that a run has scaled, types of events, settings of a session, a host of mail, the database of the state, a file for Compose. */
const own = /holdfast\.(?:agent|worker|writes|scaled|run|notice|closing|mark|owner|invalid|db|fish|yml)\b/g;

test.serial('a label has the prefix that is configured', t => {
	t.teardown(() => useLabelPrefix(defaultPrefix));
	t.is(label('drill.sql'), 'holdfast.drill.sql');
	useLabelPrefix('backup.');
	t.is(label('drill.sql'), 'backup.drill.sql');
});

test('no message writes the prefix by hand', t => {
	const written = sources.flatMap(file =>
		readFileSync(file, 'utf8')
			.split('\n')
			.filter(line => !/^\s*(?:\/\*\*|\*|\/\/)/.test(line))
			.filter(line => /holdfast\.[a-z]/.test(line.replaceAll(own, '').replace(/\/\*.*\*\//, '')))
			.map(line => `${file}: ${line.trim()}`),
	);
	t.deepEqual(written, []);
});
