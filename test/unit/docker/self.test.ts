import test from 'ava';
import {mayBeShared} from '../../../docker/self.ts';

const options = {stateDirectory: '/state', engineAddress: 'unix:///var/run/docker.sock'};
const shared = (path: string, hostPath = '', engineAddress = options.engineAddress) =>
	mayBeShared({path, hostPath}, {...options, engineAddress});

test('workers get the repository, the cache and secret files', t => {
	for (const path of ['/repository', '/cache', '/run/secrets/password', '/statement', '/var/runner']) {
		t.true(shared(path), path);
	}
});

test('workers get neither the state nor the engine, by whatever mount it comes', t => {
	for (const path of ['/state', '/state/keys', '/var/run/docker.sock', '/var/run', '/var', '/elsewhere/engine.sock']) {
		t.false(shared(path), path);
	}

	t.false(shared('/engine', '/var/run/docker.sock'));
	t.false(shared('/proxy', '', '/proxy/engine'));
});
