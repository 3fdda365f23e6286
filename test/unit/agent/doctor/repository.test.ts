import test from 'ava';
import {examineRepository} from '../../../../agent/doctor/repository.ts';
import type {RepositoryDoor} from '../../../../agent/repository/door.ts';
import type {Ownership} from '../../../../agent/repository/owner.ts';
import type {Lock, Restic, Snapshot} from '../../../../agent/restic/restic.ts';
import {RepositoryError} from '../../../../base/errors.ts';

const hour = 3_600_000;
const door = (open: () => Promise<string>): RepositoryDoor => ({doubt() {}, open, access: () => 'full'}) as unknown as RepositoryDoor;
const opens = door(async () => 'abcdef0123456789');

const ownership = (): Ownership => ({agent: 'a', isOurs: () => true, targetOf: ({target}) => target, namesOf: target => [target]});
const known = {ownership, host: 'pi', resticVersion: '0.19.1'};

const lock = (ago: number): Lock => ({
	id: 'l',
	time: new Date(Date.now() - ago),
	exclusive: false,
	hostname: 'elsewhere',
	pid: 7,
	username: 'root',
});
const snapshot = (ago: number) => ({time: new Date(Date.now() - ago), tags: ['holdfast']}) as unknown as Snapshot;

const restic = ({locks = [], snapshots = []}: {locks?: Lock[]; snapshots?: Snapshot[]}) =>
	({locks: async () => locks, snapshots: async () => snapshots}) as unknown as Restic;

test('a repository as it should be', async t => {
	const findings = await examineRepository(restic({locks: [lock(60_000)], snapshots: [snapshot(hour)]}), {...known, door: opens});
	t.deepEqual(findings, [{level: 'ok', subject: 'repository', message: 'opened with its password (id abcdef01), restic 0.19.1'}]);
});

test('a lock that nobody refreshes, and a snapshot from the future', async t => {
	const findings = await examineRepository(restic({locks: [lock(hour)], snapshots: [snapshot(-hour)]}), {...known, door: opens});
	t.deepEqual(
		findings.map(({level, subject}) => `${level} ${subject}`),
		['ok repository', 'warning repository', 'error clock'],
	);
	t.regex(findings[1]?.message ?? '', /process 7 of `elsewhere`/);
	t.regex(findings[1]?.message ?? '', /prune and check wait for it/);
	t.regex(findings[1]?.hint ?? '', /holdfast unlock` .* restic unlock/);
	const [, exclusive] = await examineRepository(restic({locks: [{...lock(hour), exclusive: true}]}), {...known, door: opens});
	t.is(exclusive?.level, 'error');
	t.regex(exclusive?.message ?? '', /nothing can be backed up meanwhile/);
});

for (const problem of ['missing', 'wrong-password', 'unreachable', 'full'] as const) {
	test(`a repository that is ${problem} has its fix`, async t => {
		const shut = door(async () => Promise.reject(new RepositoryError(problem, 'it cannot be opened')));
		const [finding, ...others] = await examineRepository(restic({}), {...known, door: shut});
		t.deepEqual(others, []);
		t.like(finding, {level: 'error', subject: 'repository', message: 'it cannot be opened'});
		t.truthy(finding?.hint);
	});
}

test('what may only be added to, or only be read, is said', async t => {
	const of = async (access: string) =>
		examineRepository(restic({snapshots: [snapshot(hour), {...snapshot(hour), tags: ['holdfast-first-pass']}]}), {
			...known,
			door: {...opens, access: () => access} as RepositoryDoor,
		});
	t.is((await of('append-only'))[1]?.level, 'ok');
	t.regex((await of('append-only'))[1]?.message ?? '', /1 of its 2 snapshots belong to no point/);
	t.like((await of('read-only'))[1], {level: 'warning'});
});
