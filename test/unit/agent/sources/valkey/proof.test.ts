import test from 'ava';
import {checkValkey, versionProblems} from '../../../../../agent/sources/valkey/check.ts';
import {readInfo} from '../../../../../agent/sources/valkey/client.ts';
import {assertLoaded} from '../../../../../agent/sources/valkey/loaded.ts';
import {readProof} from '../../../../../agent/sources/valkey/proof.ts';
import {assertOfMoment} from '../../../../../agent/sources/valkey/save.ts';

const good = `[offset 0] Checking RDB file /dev/stdin
[offset 53] AUX FIELD ctime = '1795984344'
[offset 113] Checksum OK
[offset 113] \\o/ RDB looks OK! \\o/
[info] 20013 keys read
[info] 1 expires
[info] 0 already expired`;

test('only what the checking program calls good is believed', t => {
	t.deepEqual(readProof({exitCode: 0, stdout: good, stderr: ''}), {keys: 20_013, expires: 1, savedAt: 1_795_984_344});
	t.throws(() => readProof({exitCode: 1, stdout: good, stderr: ''}));
	t.throws(() => readProof({exitCode: 0, stdout: '', stderr: ''}));
	const broken = '[offset 0] Checking\n--- RDB ERROR DETECTED ---\n[offset 49] Unexpected EOF reading RDB file\n[info] 0 keys read';
	t.throws(() => readProof({exitCode: 1, stdout: broken, stderr: ''}), {message: /Unexpected EOF/});
});

test('a save that was begun before the moment is not of it', t => {
	const begun = {saves: 4, from: 1000, to: 1001};
	t.notThrows(() => assertOfMoment(1000, begun));
	// The process that saves may be late on a busy machine: the count of saves says that it is the one.
	t.notThrows(() => assertOfMoment(1009, begun));
	t.throws(() => assertOfMoment(999, begun), {message: /not in the moment/});
	t.throws(() => assertOfMoment(1003, {...begun, saves: undefined}), {message: /not in the moment/});
});

test('a server that started must have loaded all that did not expire', t => {
	const details = {keys: 10, expires: 3};
	const said = (text: string) => assertLoaded(details, readInfo(text));
	t.is(said('rdb_last_load_keys_loaded:10\nrdb_last_load_keys_expired:0'), 10);
	t.is(said('rdb_last_load_keys_loaded:8\nrdb_last_load_keys_expired:2'), 8);
	t.throws(() => said('rdb_last_load_keys_loaded:0\nrdb_last_load_keys_expired:0\ndb0:keys=10,expires=0'), {
		message: /loaded 0 keys, and the point has 10/,
	});
	t.is(said('db0:keys=7,expires=0'), 7);
	t.throws(() => said('db0:keys=6,expires=0'));
});

for (const [stored, own, isRefused] of [
	['Valkey 8.1.1', 'Valkey 8.1.0', false],
	['Valkey 8.1.1', 'Valkey 8.0.9', true],
	['Valkey 8.1.1', 'Valkey 9.0.0', false],
	['Redis 7.2.4', 'Valkey 8.1.1', false],
	['Redis 7.4.0', 'Valkey 8.1.1', true],
	['Valkey 8.1.1', 'Redis 8.0.0', true],
	['Redis 6.2.0', 'Redis 7.0.0', false],
] as const) {
	test(`what ${stored} saved, in ${own}: ${isRefused ? 'refused' : 'taken'}`, t => {
		t.is(versionProblems({software: stored}, {where: 'here', software: own}).length, isRefused ? 1 : 0);
	});
}

test('a server that does not come up is refused with the way out', async t => {
	const container = {id: 'c', name: 'shop-cache-1', state: 'restarting', mounts: []} as never;
	const source = {name: 'valkey:all', kind: 'valkey', container, access: {}, target: 'shop/cache', stored: {details: {}} as never} as const;
	const {problems} = await checkValkey(source, {engine: {} as never});
	t.regex(problems.join(), /shop-cache-1.*does not run \(restarting\).*starts empty/);
});
