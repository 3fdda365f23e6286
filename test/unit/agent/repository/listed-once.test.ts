import test from 'ava';
import {listedOnce} from '../../../../agent/repository/listed-once.ts';
import type {Restic} from '../../../../agent/restic/restic.ts';

test('the repository is asked once, and each is answered what it asks for', async t => {
	const asked: unknown[] = [];
	const all = ['target:a', 'target:b', 'target:a'].map((tag, id) => ({id: `${id}`, tags: ['holdfast', tag, `run:${id}`]}));
	const restic = listedOnce({
		async snapshots(tags: unknown) {
			asked.push(tags);
			return all;
		},
	} as unknown as Restic);
	const ids = async (...tags: string[]) => (await restic.snapshots(tags)).map(({id}) => id).join();
	t.deepEqual(await Promise.all([ids(), ids('holdfast'), ids('holdfast', 'target:a'), ids('target:a', 'run:2'), ids('target:c')]), [
		'0,1,2',
		'0,1,2',
		'0,2',
		'2',
		'',
	]);
	t.deepEqual(asked, [['holdfast']]);
});
