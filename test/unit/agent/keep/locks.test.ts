import test from 'ava';
import {judge as judgeEach} from '../../../../agent/keep/locks.ts';

const now = Date.parse('2026-11-21T03:00:00Z');
const lock = (hostname: string, {pid = 42, minutes = 1, username = 'root'} = {}) => ({
	id: `${hostname}-${pid}`,
	hostname,
	pid,
	username,
	exclusive: false,
	time: new Date(now - minutes * 60_000),
});
const evidence = {
	ownHost: '0123456789ab',
	formerHosts: new Set(['fedcba987654']),
	sharedHosts: new Set(['vpn']),
	quietHosts: new Set<string>(),
	isAlive: (pid: number) => pid === 7,
	isGone: (run: string) => run === 'mine',
	now,
};

/** Host names. */
const judge = (...request: Parameters<typeof judgeEach>) => {
	const judged = judgeEach(...request);
	const hosts = (which: typeof judged) => [...new Set(which.map(({lock: {hostname}}) => hostname))];
	return {dead: hosts(judged.filter(({isDead}) => isDead)), doubtful: hosts(judged.filter(({isDoubtful}) => isDoubtful))};
};

test('a process of this container that is gone is dead, one that runs is not', t => {
	t.deepEqual(judge([lock('0123456789ab', {pid: 42})], evidence), {dead: ['0123456789ab'], doubtful: []});
	t.deepEqual(judge([lock('0123456789ab', {pid: 7})], evidence), {dead: [], doubtful: []});
});

test('a host name that a person chose says nothing', t => {
	t.deepEqual(judge([lock('backup')], {...evidence, ownHost: undefined}), {dead: [], doubtful: []});
});

test('a worker of a run that ended is dead; that of another agent, or of a run under way, is not', t => {
	t.deepEqual(judge([lock('holdfast-mine'), lock('holdfast-mine', {pid: 9})], evidence), {dead: ['holdfast-mine'], doubtful: []});
	t.deepEqual(judge([lock('holdfast-other')], evidence), {dead: [], doubtful: []});
});

test('whoever else has not refreshed a lock for long is in doubt, and one who did is not', t => {
	t.deepEqual(judge([lock('laptop', {minutes: 31}), lock('laptop', {minutes: 2})], evidence), {dead: [], doubtful: ['laptop']});
	t.deepEqual(judge([lock('holdfast-other', {minutes: 26})], evidence), {dead: [], doubtful: ['holdfast-other']});
	t.deepEqual(judge([lock('0123456789ab', {pid: 7, minutes: 40})], evidence), {dead: [], doubtful: ['0123456789ab']});
	t.deepEqual(judge([lock('laptop', {minutes: 20})], evidence), {dead: [], doubtful: []});
});

test('an old lock of the dead is not in doubt', t => {
	t.deepEqual(judge([lock('holdfast-mine', {minutes: 600})], evidence), {dead: ['holdfast-mine'], doubtful: []});
});

test('an earlier container of this agent that is gone is dead, and a container of somebody else is not', t => {
	t.deepEqual(judge([lock('fedcba987654'), lock('aaaaaaaaaaaa')], evidence), {dead: ['fedcba987654'], doubtful: []});
	t.deepEqual(judge([lock('fedcba987654', {minutes: 600}), lock('aaaaaaaaaaaa', {minutes: 600})], evidence), {
		dead: ['fedcba987654'],
		doubtful: ['aaaaaaaaaaaa'],
	});
});

test('a name that others may have, too, is dead when nobody has refreshed it for half an hour, and never in doubt', t => {
	t.deepEqual(judge([lock('vpn', {minutes: 1}), lock('vpn', {minutes: 29, pid: 7})], evidence), {dead: [], doubtful: []});
	t.deepEqual(judge([lock('vpn', {minutes: 32})], evidence), {dead: ['vpn'], doubtful: []});
	const [young, old] = judgeEach([lock('vpn', {minutes: 5}), lock('vpn', {minutes: 32})], evidence);
	t.deepEqual([young?.isShared, young?.isDead, old?.isDead], [true, false, true]);
	t.regex(young?.why ?? '', /removed when nobody refreshes it/);
});

test('of a name that only containers of this engine have, in none of which restic runs, all are dead but the own ones', t => {
	const quiet = {...evidence, quietHosts: new Set(['vpn'])};
	t.deepEqual(judge([lock('vpn')], quiet), {dead: ['vpn'], doubtful: []});
	t.deepEqual(judge([lock('vpn', {pid: 7})], quiet), {dead: [], doubtful: []});
});

test('in the network of a container whose name a person chose, the name of root tells the run', t => {
	const mine = lock('vpn', {username: 'holdfast-mine'});
	const [own, others, foreign] = judgeEach(
		[mine, lock('vpn', {username: 'holdfast-other'}), lock('laptop', {username: 'holdfast-mine'})],
		evidence,
	);
	t.deepEqual([own?.isDead, own?.isShared, own?.why], [true, false, 'run mine is over']);
	t.deepEqual([others?.isDead, others?.isShared], [false, true], "another machine's, whose sidecar is called the same");
	t.false(foreign?.isDead, 'of a host name that this agent never had');
});
