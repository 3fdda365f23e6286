import test from 'ava';
import {parseAddress} from '../../../../docker/calls/client.ts';

for (const [address, options] of [
	['unix:///var/run/docker.sock', {socketPath: '/var/run/docker.sock'}],
	['/run/docker.sock', {socketPath: '/run/docker.sock'}],
	['tcp://proxy:2375', {protocol: 'http', host: 'proxy', port: '2375'}],
	['tcp://[::1]:2376', {protocol: 'http', host: '::1', port: '2376'}],
] as const) {
	test(`${address} is where the engine is`, t => {
		t.deepEqual(parseAddress(address), {...options});
	});
}

test('with keys it is spoken to with TLS; a socket needs none', t => {
	const keys = {folder: '/certs', ca: 'ca', cert: 'cert', key: 'key'};
	const {folder, ...pem} = keys;
	t.deepEqual(parseAddress('tcp://proxy:2376', keys), {protocol: 'https', host: 'proxy', port: '2376', ...pem});
	t.deepEqual(parseAddress('/run/docker.sock', keys), {socketPath: '/run/docker.sock'});
});
