import test from 'ava';
import {listenForTrouble} from '../../../../agent/restic/trouble.ts';

const listen = () => {
	const told: string[] = [];
	const given: string[] = [];
	const clock = {now: 0};
	const trouble = listenForTrouble({
		onRetry: reason => told.push(reason),
		onHopeless: (problem, reason, hint) => given.push(`${problem}: ${reason} (${hint})`),
		now: () => clock.now,
	});
	return {trouble, told, given, clock};
};

const unknown = 'dial tcp: lookup nas.lan on 127.0.0.11:53: no such host';
const opening = (reason: string) => `Stat(<config/>) returned error, retrying after 735.443224ms: Head "http://nas.lan/": ${reason}\n`;
const saving = (reason: string) => `Save(<data/0123>) returned error, retrying after 1.2s: ${reason}\n`;

test('a name that does not resolve ends the opening, a hiccup does not', t => {
	const {trouble, given} = listen();
	trouble.hear(opening(unknown));
	t.deepEqual(given, []);
	trouble.hear(opening('connection refused'));
	trouble.hear(opening(unknown).slice(0, 40));
	trouble.hear(opening(unknown).slice(40));
	t.deepEqual(given, []);
	trouble.hear(opening(unknown));
	t.regex(given[0] ?? '', /^unreachable: .*no such host \(`nas\.lan` is no name that is known/);
});

test('a repository that cannot be opened is not waited for as long as restic would', t => {
	const {trouble, given, clock} = listen();
	trouble.hear(opening('connection refused'));
	clock.now = 59_000;
	trouble.hear(opening('connection refused'));
	t.deepEqual(given, []);
	clock.now = 60_000;
	trouble.hear(opening('connection refused'));
	t.is(given.length, 1);
});

test('in the middle of the work restic goes on trying, and that is told now and then', t => {
	const {trouble, told, given, clock} = listen();
	trouble.hear('a line of no interest\n');
	for (let second = 0; second < 130; second += 10) {
		clock.now = second * 1000;
		trouble.hear(saving(unknown));
	}

	t.deepEqual(told, [unknown, unknown, unknown]);
	t.deepEqual(given, []);
	t.is(trouble.reason(), unknown);
});

test('a lock that nobody may write is not tried for a quarter of an hour', t => {
	const {trouble, given} = listen();
	trouble.hear('Save(<lock/76a7b74bea>) returned error, retrying after 862.618686ms: open /r/locks/7-tmp-3: read-only file system\n');
	t.regex(given[0] ?? '', /^refused: .*read-only file system \(.*HOLDFAST_REPOSITORY_ACCESS/);
	trouble.hear('Save(<data/403>) returned error, retrying after 862.618686ms: broken pipe\n');
	t.is(given.length, 1);
});

test('what answers and is no repository is not asked for a minute: three times in a row is enough, with what it may be', t => {
	const {trouble, given} = listen();
	trouble.hear(opening('negative content length'));
	trouble.hear(opening('negative content length'));
	trouble.hear(opening('connection refused'));
	trouble.hear(opening('negative content length'));
	trouble.hear(opening('negative content length'));
	t.deepEqual(given, []);
	trouble.hear(opening('negative content length'));
	t.regex(given[0] ?? '', /^unreachable: .*negative content length \(what answers there is no repository/);
});
