import {createRequire} from 'node:module';
import test from 'ava';
import {connectEngine} from '../../../docker/engine.ts';

test('what is not used is not loaded with the engine', t => {
	t.is(connectEngine('unix:///nowhere.sock').address, 'unix:///nowhere.sock');
	const loaded = Object.keys(createRequire(import.meta.url).cache);
	t.true(loaded.some(path => path.includes('/node_modules/dockerode/')));
	t.deepEqual(
		loaded.filter(path => /\/node_modules\/(?:@grpc|protobufjs|ssh2)\//.test(path)),
		[],
	);
});
