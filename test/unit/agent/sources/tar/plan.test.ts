import test from 'ava';
import {obstacleTo} from '../../../../../agent/sources/tar/plan.ts';
import type {Container} from '../../../../../docker/container.ts';
import {runningContainer} from '../../../../support/doubles/container.ts';

const container = runningContainer('id', {
	name: 'app',
	mounts: [{type: 'volume', volume: 'data', hostPath: '/v/data', path: '/srv/app/data', readWrite: true}],
	memory: ['/var/lib/app', '/opt/app/cache'],
});

const answer = (mountPoints: readonly string[] | undefined, real: Record<string, string> = {}) => ({
	mountPoints,
	amiss: [],
	real: new Map(Object.entries(real)),
});

const says = (path: string, given = answer([]), changed: Partial<Container> = {}) =>
	obstacleTo(path, {...container, ...changed}, given)?.message ?? '';

test("what the engine would read as an empty folder, or write over others' files, is refused with the place", t => {
	t.regex(says('/var/lib/app'), /is in the tmpfs "\/var\/lib\/app"/);
	t.regex(says('/var/lib/app/sub'), /is in the tmpfs "\/var\/lib\/app"/);
	t.regex(says('/opt/app'), /has in it the tmpfs "\/opt\/app\/cache"/);
	t.regex(says('/srv/app'), /has the mount "\/srv\/app\/data" \(volume "data"\) in it/);
	t.regex(says('/srv/app/data/x'), /is in the mount "\/srv\/app\/data"/);
	t.regex(says('/sys/x'), /kernel's/);
	t.is(says('/opt/app/cached'), '');
	t.is(says('/etc/app'), '');
});

test('a mount made inside the container counts, but not what the engine makes in every one', t => {
	const seen = answer(['/', '/proc', '/dev/shm', '/etc/hosts', '/etc/hostname', '/sbin/docker-init', '/srv/app/data', '/var/secret']);
	t.regex(says('/var/secret/x', seen), /is in "\/var\/secret", which was mounted in the running container/);
	t.regex(says('/var', seen, {memory: []}), /has in it "\/var\/secret"/);
	t.is(says('/etc', seen), '');
	t.regex(says('/etc/hostname', seen), /is in "\/etc\/hostname"/);
	t.is(says('/var', answer(undefined), {memory: []}), '');
});

test('a path below a link is where the link leads', t => {
	const led = answer([], {'/var/run/app': '/run/app'});
	t.regex(says('/var/run/app', led, {memory: ['/run']}), /"\/var\/run\/app" \("\/run\/app"\) is in the tmpfs "\/run"/);
});

test('on a read-only root nothing could be put back', t => {
	t.regex(says('/etc/app', answer([]), {isRootReadOnly: true}), /could not be put back/);
});
