/** What labels ask of streams, and what a plan says of them. */
import test from 'ava';
import {collectRemarks} from '../../../../../agent/sources/remarks.ts';
import type {StreamPolicies} from '../../../../../agent/sources/stream/labels.ts';
import {strainOfStreams, streamSources} from '../../../../../agent/sources/stream/plan.ts';
import {parseLabels} from '../../../../../agent/targets/labels.ts';
import type {Container} from '../../../../../docker/container.ts';

const parse = (labels: Record<string, string>) => {
	const prefixed = Object.fromEntries(Object.entries(labels).map(([name, value]) => [`holdfast.${name}`, value]));
	const {policy, problems} = parseLabels(prefixed, {subject: 'shop/db'});
	return {streams: policy.sources.stream as StreamPolicies, problems: problems.map(({message, hint}) => `${message} (${hint})`)};
};

test('a stream has its name in its labels, and what is not said has its default', t => {
	const {streams, problems} = parse({
		'stream.mongo': 'mongodump --archive',
		'stream.ldap_2': '["slapcat", "-n 1"]',
		'stream.ldap_2.restore': 'slapadd',
		'stream.ldap_2.check': 'grep -q dn',
		'stream.ldap_2.user': 'openldap',
		'stream.ldap_2.timeout': '5m',
		'stream.ldap_2.moment': 'inside',
	});
	t.deepEqual(problems, []);
	t.deepEqual(
		[...streams],
		[
			[
				'ldap_2',
				{
					argv: ['slapcat', '-n 1'],
					restore: ['slapadd'],
					check: ['grep', '-q', 'dn'],
					user: 'openldap',
					timeoutMs: 300_000,
					moment: 'inside',
				},
			],
			[
				'mongo',
				{
					argv: ['mongodump', '--archive'],
					restore: undefined,
					check: undefined,
					user: undefined,
					timeoutMs: 12 * 3_600_000,
					moment: 'after',
				},
			],
		],
	);
});

for (const [labels, said] of [
	[{'stream.x.restroe': 'y', 'stream.x': 'z'}, /unknown label "holdfast\.stream\.x\.restroe"/],
	[{'stream.restore': 'y'}, /unknown label "holdfast\.stream\.restore"/],
	[{stream: 'y'}, /unknown label "holdfast\.stream"/],
	[{'stream.a b': 'y'}, /unknown label/],
	[{'stream.x.check': 'y'}, /`holdfast\.stream\.x\.check` needs `holdfast\.stream\.x`/],
	[{'stream.x': 'a', 'stream.x.moment': 'sometimes'}, /`holdfast\.stream\.x\.moment` must be `before` or `inside` or `after`/],
	[{'stream.x': 'a | b'}, /`holdfast\.stream\.x` is run without a shell/],
	[{'stream.x': 'a', 'stream.x.timeout': '0s'}, /must be a duration/],
] as const) {
	test(`a mistake in ${Object.keys(labels).join(' and ')} is one of the target`, t => {
		t.regex(parse(labels as Record<string, string>).problems.join('\n'), said);
	});
}

function plan(labels: Record<string, string>, state = 'running') {
	const remarks = collectRemarks();
	const sources = streamSources({
		container: {id: 'c', name: 'shop-db-1', state, mounts: []} as unknown as Container,
		policy: parse(labels).streams,
		answer: undefined,
		group: 'db/',
		prefix: 'holdfast.',
		hasOthers: false,
		choosesMounts: false,
		grounds: {} as never,
		remarks,
	});
	return {sources, remarks};
}

test('one that nothing takes back is backed up, and the plan says so', t => {
	const {sources, remarks} = plan({'stream.a': 'x', 'stream.b': 'x', 'stream.b.restore': 'y'});
	t.deepEqual(
		sources.map(({name}) => name),
		['db/stream:a', 'db/stream:b'],
	);
	t.is(remarks.notes.length, 1);
	t.regex(remarks.notes[0] ?? '', /`stream:a`.*not restored.*`holdfast\.stream\.a\.restore`/);
});

test('a pipe hides what became of its first command, and the plan says so', t => {
	const notes = (script: string) => plan({'stream.a': JSON.stringify(['sh', '-c', script]), 'stream.a.restore': 'y'}).remarks.notes.join();
	t.regex(notes('pg_dump x | gzip'), /`stream:a` is a pipe/);
	t.is(notes('set -o pipefail; pg_dump x | gzip'), '');
	t.is(notes('a || b'), '');
});

test('who was stopped rests, and who does not come up is a problem', t => {
	t.deepEqual(
		plan({'stream.a': 'x'}, 'exited').remarks.absent.map(({source}) => source),
		['db/stream:a'],
	);
	t.regex(plan({'stream.a': 'x'}, 'restarting').remarks.problems[0]?.message ?? '', /does not come up/);
	t.deepEqual(plan({}, 'exited').remarks.absent, []);
});

test('what is not of the moment of files is said', t => {
	const {sources} = plan({'stream.a': 'x', 'stream.b': 'x', 'stream.b.moment': 'inside', 'stream.c': 'x', 'stream.c.moment': 'before'});
	t.is(strainOfStreams(sources, {isMoment: false}).note, undefined);
	const {note = ''} = strainOfStreams(sources, {isMoment: true});
	t.regex(note, /`stream:a` is made after it.*`stream:c` is made before it/);
	t.notRegex(note, /stream:b/);
});
