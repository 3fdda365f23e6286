import test from 'ava';
import {containerFromList} from '../../../docker/container.ts';

/** As the engine lists them: what Compose has after the second colon is the mode, and what it means is said apart. */
const mounts = (...modes: Array<[mode: string, readWrite: boolean]>) =>
	containerFromList({
		Id: 'id',
		Names: ['/app'],
		Image: 'image',
		ImageID: 'sha256:1',
		State: 'running',
		Created: 0,
		Labels: {},
		Mounts: modes.flatMap(([Mode, RW], index) => [
			{Type: 'bind', Source: `/srv/${index}`, Destination: `/bind/${index}`, Mode, RW, Propagation: 'rprivate'},
			{
				Type: 'volume',
				Name: `v${index}`,
				Driver: 'local',
				Source: `/v/v${index}/_data`,
				Destination: `/volume/${index}/`,
				Mode,
				RW,
				Propagation: '',
			},
		]),
	}).mounts;

test('what SELinux is told of a mount is no part of its path, and makes it neither more nor less writable', t => {
	const found = mounts(['z', true], ['Z', true], ['ro,z', false], ['rw,Z', true], ['', true]);
	t.deepEqual(
		found.filter(({type}) => type === 'bind').map(({hostPath, path, readWrite}) => [hostPath, path, readWrite]),
		[
			['/srv/0', '/bind/0', true],
			['/srv/1', '/bind/1', true],
			['/srv/2', '/bind/2', false],
			['/srv/3', '/bind/3', true],
			['/srv/4', '/bind/4', true],
		],
	);
	t.deepEqual(
		found.filter(({type}) => type === 'volume').map(({volume, path, readWrite}) => [volume, path, readWrite]),
		[
			['v0', '/volume/0', true],
			['v1', '/volume/1', true],
			['v2', '/volume/2', false],
			['v3', '/volume/3', true],
			['v4', '/volume/4', true],
		],
	);
});
