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

test('workers get nothing of what opens the engine', t => {
	for (const path of ['/certs', '/certs/client', '/certs/client/key.pem']) {
		t.false(mayBeShared({path, hostPath: ''}, {...options, keysDirectory: '/certs/client'}), path);
	}

	t.true(mayBeShared({path: '/certs-of-mine', hostPath: ''}, {...options, keysDirectory: '/certs'}));
});
