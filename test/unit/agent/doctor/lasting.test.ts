import test from 'ava';
import {examineLasting} from '../../../../agent/doctor/lasting.ts';
import type {Mount} from '../../../../docker/container.ts';

const mount = (type: Mount['type'], volume?: string, path = '/repository'): Mount => ({
	type,
	volume,
	hostPath: '/x',
	path,
	readWrite: true,
});

const examine = (
	mounts: Mount[],
	{
		labels = {},
		folder = '/repository',
		hasCopies = false,
		containerId = 'agent',
	}: Partial<Parameters<typeof examineLasting>[0]> & {labels?: Record<string, string>; containerId?: string | undefined} = {},
) =>
	examineLasting({
		folder,
		hasCopies,
		self: {containerId, mounts},
		volumes: [
			{name: 'v', labels},
			{name: 'other', labels: {'com.docker.compose.project': 'other'}},
		],
	}).map(({level, message}) => `${level} ${message}`);

test('a volume that Compose made goes with `down --volumes`', t => {
	const [said, ...others] = examine([mount('volume', 'other', '/cache'), mount('volume', 'v')], {
		labels: {'com.docker.compose.project': 'shop'},
	});
	t.is(
		said,
		'warning the repository is in a volume of the project `shop`: `docker compose down --volumes` there removes it, together with the data',
	);
	t.deepEqual(others, []);
});

test('one without a name, or none at all, goes with the container', t => {
	t.regex(examine([mount('volume', 'v')], {labels: {'com.docker.volume.anonymous': ''}})[0] ?? '', /^error .*without a name/);
	t.regex(examine([mount('volume', 'v', '/state')])[0] ?? '', /^error .*in no volume/);
});

test('an external volume, a folder of the host, a repository elsewhere and one that is copied last', t => {
	t.deepEqual(examine([mount('volume', 'v')]), []);
	t.deepEqual(examine([mount('bind', undefined, '/')]), []);
	const labels = {'com.docker.compose.project': 'shop'};
	t.deepEqual(examine([mount('volume', 'v')], {labels, hasCopies: true}), []);
	t.deepEqual(examineLasting({folder: undefined, hasCopies: false, self: {containerId: 'agent', mounts: []}, volumes: []}), []);
	t.deepEqual(examineLasting({folder: '/r', hasCopies: false, self: {containerId: undefined, mounts: []}, volumes: []}), []);
});
