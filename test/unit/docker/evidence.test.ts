import test from 'ava';
import type {ContainerDetails} from '../../../docker/details.ts';
import {likeness, readEvidence} from '../../../docker/evidence.ts';

const own = 'a'.repeat(64);
const sidecar = 'b'.repeat(64);
const named = `900 871 254:0 /var/lib/docker/containers/${sidecar}/hostname /etc/hostname rw,relatime - ext4 /dev/vda rw`;
const root = (upper: string) => `871 885 0:395 / / rw,relatime - overlay overlay rw,lowerdir=/l/A:/l/B,upperdir=${upper},workdir=/w`;
const mounts = [
	'901 871 254:0 /var/lib/docker/volumes/trial_state/_data /state rw,relatime - ext4 /dev/vda rw',
	'902 871 254:0 /home/me/my\\040backups /repository rw,relatime - ext4 /dev/vda rw',
	'903 871 0:25 /docker.sock /run/docker.sock rw - tmpfs tmpfs rw',
];
const volume = (name: string, path: string) => ({
	type: 'volume' as const,
	volume: name,
	hostPath: `/var/lib/docker/volumes/${name}/_data`,
	path,
	readWrite: true,
});
const bind = (hostPath: string, path: string) => ({type: 'bind' as const, hostPath, path, readWrite: true});
const container = (id: string, rest: Partial<ContainerDetails> = {}) => ({id, mounts: [], ...rest}) as unknown as ContainerDetails;
const agentMounts = [
	volume('trial_state', '/state'),
	bind('/home/me/my backups', '/repository'),
	bind('/var/run/docker.sock', '/run/docker.sock'),
];

test('in the network of a sidecar, whose names it sees, the agent is who has its root file system', t => {
	const evidence = readEvidence([root('/var/lib/docker/overlay2/mine/diff'), named, ...mounts].join('\n'), '0::/');
	t.is(likeness(evidence, container(sidecar, {rootFolder: '/var/lib/docker/overlay2/theirs/diff'})), 0);
	t.true(likeness(evidence, container(own, {rootFolder: '/var/lib/docker/overlay2/mine/diff', mounts: agentMounts})) > 0);
	// The same volumes at the same paths: a clone of this machine, or `docker compose run`
	t.is(likeness(evidence, container('c'.repeat(64), {rootFolder: '/var/lib/docker/overlay2/clone/diff', mounts: agentMounts})), 0);
});

test('a root that is mounted by a relative path is known all the same', t => {
	const evidence = readEvidence(root('mine/diff'), '');
	t.true(likeness(evidence, container(own, {rootFolder: '/var/lib/docker/overlay2/mine/diff'})) > 0);
	t.is(likeness(evidence, container(sidecar, {rootFolder: '/var/lib/docker/overlay2/notmine/diff'})), 0);
});

test('where the engine does not tell the root, the control group proves it', t => {
	for (const cgroup of [`0::/docker/${own}`, `0::/system.slice/docker-${own}.scope`, `0::/machine.slice/libpod-${own}.scope/container`]) {
		const evidence = readEvidence([root('/snapshots/7/fs'), named].join('\n'), cgroup);
		t.is(evidence.accounted, own);
		t.true(likeness(evidence, container(own)) > likeness(evidence, container(sidecar)));
		t.is(likeness(evidence, container(sidecar)), 0);
	}
});

test('else its mounts do: a sidecar has others, or none', t => {
	const evidence = readEvidence([root('/snapshots/7/fs'), named, ...mounts].join('\n'), '0::/');
	t.true(likeness(evidence, container(own, {mounts: agentMounts})) > 0);
	t.is(likeness(evidence, container(own, {mounts: [volume('other_state', '/state')]})), 0);
	t.is(likeness(evidence, container(own, {mounts: [...agentMounts, volume('x', '/x')]})), 0);
	t.is(likeness(evidence, container('d'.repeat(64))), 0);
	// One that has the socket alone, as many have
	const watcher = container('e'.repeat(64), {mounts: [bind('/var/run/docker.sock', '/run/docker.sock')]});
	t.true(likeness(evidence, container(own, {mounts: agentMounts})) > likeness(evidence, watcher));
});

test('a folder of the host may be named by a link', t => {
	const evidence = readEvidence(mounts.join('\n'), '');
	t.true(likeness(evidence, container(own, {mounts: [volume('trial_state', '/state'), bind('/link', '/repository')]})) > 0);
});

test('the ids in the files of names are read, as Docker and as Podman write them', t => {
	const podman = `900 871 254:0 /containers/overlay-containers/${own}/userdata/hostname /etc/hostname rw - ext4 /dev/vda rw`;
	t.deepEqual(readEvidence(podman, '').named, [own]);
	t.deepEqual(readEvidence(named, '').named, [sidecar]);
});
