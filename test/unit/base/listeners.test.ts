import test from 'ava';
import {createListeners} from '../../../base/listeners.ts';

test('one that fails is reported, and keeps neither the others from hearing nor who tells from going on', t => {
	const [heard, reported]: [string[], unknown[]] = [[], []];
	const {send, listen} = createListeners<string>(error => reported.push(error));
	listen(() => {
		throw new Error('a mistake');
	});
	const end = listen(told => heard.push(told));
	send('gone');
	end();
	send('back');
	t.deepEqual(heard, ['gone']);
	t.is(reported.length, 2);
});
