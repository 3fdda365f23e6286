import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import {tellingOfLocks} from '../../../../agent/backup/locked.ts';
import type {Lock} from '../../../../agent/restic/restic.ts';
import type {Tell} from '../../../../base/events.ts';

const lock = (exclusive: boolean): Lock => ({id: 'a', time: new Date(0), exclusive, hostname: 'holdfast-other', pid: 7, username: 'root'});

async function told(locks: () => Promise<Lock[]>): Promise<string[]> {
	const messages: string[] = [];
	let looks = 0;
	const {promise: enough, resolve} = Promise.withResolvers<void>();
	const restic = {
		async locks() {
			if (++looks === 3) {
				resolve();
			}

			return locks();
		},
	};
	const tell = (event: {type: string; message?: string}) => messages.push(event.message ?? '');
	const looking = tellingOfLocks(restic, tell as Tell, 5);
	await looking(async () => Promise.race([enough, delay(500)]));
	await looking(async () => delay(20));
	return messages;
}

test('who shuts a backup out is named, once', async t => {
	t.deepEqual(await told(async () => [lock(false), lock(true)]), [
		'the repository is in use by `holdfast-other` (process 7, since 1970-01-01T00:00:00.000Z) alone: waiting for it',
	]);
});

test('who shares the repository is not in the way, and a look that fails says nothing', async t => {
	t.deepEqual(await told(async () => [lock(false)]), []);
	t.deepEqual(await told(async () => Promise.reject(new Error('away'))), []);
});
