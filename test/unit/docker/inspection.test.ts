import test from 'ava';
import {createInspections, readInspection} from '../../../docker/inspection.ts';
import {runningContainer} from '../../support/doubles/container.ts';

const volume = {type: 'volume', volume: 'data', hostPath: '/v/data', path: '/data', readWrite: true} as const;
const container = (id: string) => runningContainer(id, {mounts: [volume]});

test('memory, subpaths, namespaces and a read-only root are read from either form', t => {
	const found = readInspection({
		NetworkMode: 'container:vpn',
		ReadonlyRootfs: true,
		Tmpfs: {'/run/': 'size=1m'},
		Mounts: [
			{Type: 'tmpfs', Target: '/cache'},
			{Type: 'volume', Target: '/data/', VolumeOptions: {Subpath: './a/b/'}},
			{Type: 'volume', Target: '/all', VolumeOptions: {}},
		],
	});
	t.deepEqual([found.livesIn, found.memory, found.isRootReadOnly], [['vpn'], ['/run', '/cache'], true]);
	t.deepEqual([...found.subpaths], [['/data', 'a/b']]);
});

test('who may administer the machine has it by name, by all, or by being privileged; and not where it was dropped', t => {
	const may = (host: Parameters<typeof readInspection>[0]) => readInspection(host).mayAdminister;
	t.deepEqual([{Privileged: true}, {CapAdd: ['SYS_ADMIN']}, {CapAdd: ['CAP_SYS_ADMIN']}, {CapAdd: ['ALL']}].map(may), [
		true,
		true,
		true,
		true,
	]);
	t.deepEqual([{}, {CapAdd: null}, {CapAdd: ['SYS_PTRACE'], CapDrop: ['ALL']}, {CapAdd: ['ALL'], CapDrop: ['SYS_ADMIN']}].map(may), [
		false,
		false,
		false,
		false,
	]);
});

test('each container is asked once, who was not answered for again, and who is gone is forgotten', async t => {
	const asked: string[] = [];
	let isSilent = true;
	const ask = async (id: string) => {
		asked.push(id);
		if (id === 'b' && isSilent) {
			throw new Error('no answer');
		}

		return readInspection({Mounts: [{Type: 'volume', Target: '/data', VolumeOptions: {Subpath: 'a'}}]});
	};
	const inspected = createInspections({
		ask,
		volumes: async () => [{name: 'data', driver: 'local', options: {o: 'bind', device: '/srv/data/'}}],
	});
	const [first, second] = await inspected([container('a'), container('b')]);
	t.is(first?.mounts[0]?.subpath, 'a');
	t.deepEqual(first?.mounts[0]?.folders, [{in: 'host', path: '/srv/data/a'}]);
	t.is(second?.isUnanswered, true);
	isSilent = false;
	t.is((await inspected([container('a'), container('b')]))[1]?.isUnanswered, undefined);
	t.deepEqual(asked.sort(), ['a', 'b', 'b']);
	await inspected([container('b')]);
	await inspected([container('a'), container('b')]);
	t.deepEqual(asked.sort(), ['a', 'a', 'b', 'b']);
});

test('whose volumes the engine does not tell is not answered for', async t => {
	const inspected = createInspections({
		ask: async () => readInspection({}),
		async volumes() {
			throw new Error('forbidden');
		},
	});
	t.deepEqual(
		(await inspected([container('a'), {...container('b'), mounts: []}])).map(({isUnanswered}) => isUnanswered),
		[true, true],
	);
});
