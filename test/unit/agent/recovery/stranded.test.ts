import test from 'ava';
import {endOnceStranded} from '../../../../agent/recovery/stranded.ts';

/** What is said, and whether the agent ends. */
async function outcome(stale: Promise<void>, restarts: boolean) {
	const said: string[] = [];
	let ends = false;
	await endOnceStranded(stale, {
		address: 'unix:///var/run/docker.sock',
		log: {error: message => said.push(message)},
		restarts: () => restarts,
		onStranded() {
			ends = true;
		},
	});
	return {said: said.join('\n'), ends};
}

test('who is started again ends', async t => {
	const {said, ends} = await outcome(Promise.resolve(), true);
	t.true(ends);
	t.regex(said, /^`unix:\/\/\/var\/run\/docker\.sock`.*the agent ends, to be started again/);
});

test('whom nobody would start again says what to do, and stays', async t => {
	const {said, ends} = await outcome(Promise.resolve(), false);
	t.false(ends);
	t.regex(said, /start this container again \(docker restart\)/);
});

test('an agent that ends before says nothing', async t => {
	t.deepEqual(await outcome(Promise.reject(new Error('the end')), true), {said: '', ends: false});
});
