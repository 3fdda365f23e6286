/** Which programs run in containers, asked as seldom as can be. */
import test from 'ava';
import type {Container} from '../../../docker/container.ts';
import {createPrograms} from '../../../docker/programs.ts';

const container = (id: string, state = 'running', createdAt = 0) => ({id, state, createdAt}) as Container;

test('programs by their own names; what runs long is asked once, what is new again, who does not answer is not known, who is not wanted is not asked', async t => {
	let now = 3_600_000;
	const asked: string[] = [];
	const programs = createPrograms(
		{
			async top(id) {
				asked.push(id);
				if (id === 'gone') {
					throw new Error('no such container');
				}

				return [
					{uid: '0', gid: '0', argv: ['/usr/sbin/mysqld', '--user=mysql']},
					{uid: '0', gid: '0', argv: ['postgres:', 'checkpointer']},
					{uid: '0', gid: '0', argv: ['/usr/sbin/mysqld']},
				];
			},
		},
		() => now,
	);
	const all = [container('old'), container('new', 'running', now - 1000), container('gone'), container('still', 'exited')];
	const found = await programs(all);
	t.deepEqual(found.get('old'), ['mysqld', 'postgres']);
	t.deepEqual([found.has('gone'), found.has('still')], [false, false]);
	t.deepEqual(asked.splice(0).toSorted(), ['gone', 'new', 'old']);
	await programs(all);
	t.deepEqual(asked.splice(0), ['gone']);
	await programs(all, {maximumAgeMs: 0});
	t.deepEqual(asked.splice(0).toSorted(), ['gone', 'new'], 'what is new may be asked at once');
	await programs([...all, container('foreign')], {wanted: [container('old')]});
	t.deepEqual(asked.splice(0), [], 'nobody is asked whom nobody wants to know of, and nobody is forgotten');
	now += 61_000;
	await programs([container('old'), container('new', 'running', 3_599_000)]);
	t.deepEqual(asked, ['new']);
	t.deepEqual((await programs([container('old', 'exited')])).get('old'), ['mysqld', 'postgres'], 'who was stopped is known');
});
