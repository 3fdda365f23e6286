import {PassThrough} from 'node:stream';
import {text} from 'node:stream/consumers';
import {setImmediate as immediate} from 'node:timers/promises';
import test from 'ava';
import {createCaller} from '../../../../agent/restic/call.ts';
import type {Exit, Place} from '../../../../base/command.ts';

/** restic that works until it is killed: then its output breaks off. */
const working: Place = async () => {
	const stdout = new PassThrough();
	const {promise: done, resolve} = Promise.withResolvers<Exit>();
	const stdin = new PassThrough().resume();
	// Refused, it ends by itself.
	stdin.once('end', () => {
		stdout.end();
		resolve({exitCode: 1, stderr: 'no pattern'});
	});
	return {
		stdout,
		stdin,
		done,
		async kill() {
			stdout.destroy();
			resolve({exitCode: 137, stderr: ''});
			// Whoever reads hears of it before the caller does.
			await immediate();
		},
	} as Awaited<ReturnType<Place>>;
};

test('why a held restic was not let go is said, not how it ended then', async t => {
	const caller = createCaller(
		working,
		{name: 'primary', location: '/repository', env: {}, cacheDirectory: '/cache'},
		{
			answerWithinMs: 1000,
			cached: false,
		},
	);
	const refused = Promise.withResolvers<void>();
	const reason = new Error('quiesce failed');
	const hold = {held: () => refused.reject(reason), go: refused.promise};
	t.is(await t.throwsAsync(caller.read({action: 'backup of /data', arguments: ['backup'], hold}, text)), reason);
});
