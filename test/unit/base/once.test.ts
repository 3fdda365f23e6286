import test from 'ava';
import {onceWithin} from '../../../base/once.ts';

test('each owner has one of each key, made as the first who asks says', async t => {
	const within = onceWithin<object, string>();
	const [one, other] = [{}, {}];
	const made: string[] = [];
	const ask = async (owner: object, key: string, value: string) =>
		within(owner, key, async () => {
			made.push(value);
			return value;
		});
	t.deepEqual(await Promise.all([ask(one, 'a', '1'), ask(one, 'a', '2'), ask(one, 'b', '3'), ask(other, 'a', '4')]), ['1', '1', '3', '4']);
	t.deepEqual(made, ['1', '3', '4']);
});
