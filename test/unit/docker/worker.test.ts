import test from 'ava';
import type {CreateOptions} from '../../../docker/calls/containers.ts';
import type {Engine} from '../../../docker/engine.ts';
import {hireWorkers} from '../../../docker/hire.ts';
import type {Self} from '../../../docker/self.ts';
import {staging} from '../../../docker/worker.ts';

const staged = async () => ({mounts: [{path: '/staging', volume: 'staged'}]});

const self: Self = {
	containerId: 'agent',
	image: 'holdfast',
	mounts: [],
	networkMode: 'shop_default',
	networks: ['shop_default', 'backup'],
	inherited: {limits: {}, names: {}, isolation: {}},
};

test('a subpath is mounted as such, and an engine that takes no notice of it shows nothing', async t => {
	const created: unknown[] = [];
	let isKnown = true;
	const engine = {
		async create(_name: string, {HostConfig: host}: CreateOptions) {
			created.push(...(host?.Mounts ?? []).filter(({Type: type, Target: target}) => type === 'volume' && target === '/shop/app/data'));
			return 'worker';
		},
		inspect: async () => ({
			...(await staged()),
			hostConfig: isKnown ? {Mounts: created} : {Mounts: [{Type: 'volume', Target: '/shop/app/data'}]},
		}),
		async start() {},
		async exec() {
			throw Object.assign(new Error('no such container'), {statusCode: 404});
		},
	} as unknown as Engine;
	const workforce = await hireWorkers({engine, self, agentId: 'a', run: 'r', offline: true});
	const mount = {type: 'volume', from: 'data', to: '/shop/app/data', readOnly: true, subpath: 'a'} as const;
	await workforce.repository([mount], 'read');
	t.like(created[0], {Source: 'data', ReadOnly: true, VolumeOptions: {Subpath: 'a'}});
	isKnown = false;
	await t.throwsAsync(workforce.repository([mount], 'read'), {message: /folder `a` of volume `data` cannot be shown/});
});

test('a worker may administer the machine only where the container may whose files it has', async t => {
	const granted: Array<readonly string[]> = [];
	const engine = {
		inspect: staged,
		async create(_name: string, {HostConfig: host}: CreateOptions) {
			granted.push(host?.CapAdd ?? []);
			return 'worker';
		},
		async start() {},
		async exec() {
			throw Object.assign(new Error('no such container'), {statusCode: 404});
		},
	} as unknown as Engine;
	const workforce = await hireWorkers({engine, self, agentId: 'a', run: 'r', offline: true});
	const mount = {type: 'volume', from: 'data', to: '/shop/app/data', readOnly: false} as const;
	await workforce.repository([mount], 'write all');
	await workforce.repository([mount, {...mount, to: '/shop/ad/data', isAdministered: true}], 'read');
	t.deepEqual(
		granted.map(capabilities => capabilities.includes('SYS_ADMIN')),
		[false, true],
	);
});

/** Networks that a repository worker joins. */
async function networksOf(offline: boolean): Promise<Array<string | undefined>> {
	const joined: Array<string | undefined> = [];
	const engine = {
		inspect: staged,
		async create(_name: string, options: CreateOptions) {
			joined.push(options.HostConfig?.NetworkMode);
			return 'worker';
		},
		async start() {},
		async exec() {
			throw Object.assign(new Error('no such container'), {statusCode: 404});
		},
		async connect(network: string) {
			joined.push(network);
		},
	} as unknown as Engine;
	const workforce = await hireWorkers({engine, self, agentId: 'a', run: 'r', offline});
	await workforce.repository([], 'read');
	return joined;
}

test('a worker joins no network of applications where the repository is a folder, and those of the agent where it is not', async t => {
	t.deepEqual(await networksOf(true), ['none']);
	t.deepEqual(await networksOf(false), ['shop_default', 'backup']);
});

test("in another container's network root is called as the run is, where nobody takes that for an account; elsewhere the host name tells it", async t => {
	const of = async (networkMode: string, namesRoot: boolean) => {
		const created: CreateOptions[] = [];
		const ran: string[] = [];
		const engine = {
			inspect: staged,
			async create(_name: string, options: CreateOptions) {
				created.push(options);
				return 'worker';
			},
			async start() {},
			async exec(_id: string, {argv}: {argv: string[]}) {
				ran.push(argv.join(' '));
				throw Object.assign(new Error('no such container'), {statusCode: 404});
			},
		} as unknown as Engine;
		const workforce = await hireWorkers({engine, self: {...self, networkMode, networks: []}, agentId: 'a', run: 'r', namesRoot});
		await workforce.repository([], 'read');
		await workforce.dismiss().catch(() => {});
		const [{Hostname: host, Env: env, HostConfig: {ReadonlyRootfs: isReadOnly} = {}} = {} as CreateOptions] = created;
		return {host, env, isReadOnly, isNamed: ran.some(each => each.includes('s/^root:/holdfast-r:/'))};
	};
	t.deepEqual(await of('container:vpn', true), {host: undefined, env: ['USER=root'], isReadOnly: false, isNamed: true});
	t.deepEqual(await of('container:vpn', false), {host: undefined, env: undefined, isReadOnly: true, isNamed: false});
	t.deepEqual(await of('host', true), {host: 'holdfast-r', env: undefined, isReadOnly: true, isNamed: false});
});

test('a scratch container whose image lacks programs is lent them, and only then may its root be written', async t => {
	const of = async (has: readonly string[]) => {
		const calls: string[] = [];
		const engine = {
			inspect: staged,
			async create(_name: string, {HostConfig: host}: CreateOptions) {
				calls.push(host?.ReadonlyRootfs ? 'create, read-only' : 'create');
				return `c${calls.length}`;
			},
			async stat(_id: string, path: string) {
				if (!has.includes(path)) {
					throw Object.assign(new Error('not there'), {statusCode: 404});
				}

				return {isDirectory: false, linkTarget: ''};
			},
			async remove(id: string) {
				calls.push(`remove ${id}`);
			},
			async putArchive(id: string) {
				calls.push(`lend ${id}`);
			},
			async start(id: string) {
				calls.push(`start ${id}`);
			},
		} as unknown as Engine;
		const workforce = await hireWorkers({engine, self, agentId: 'a', run: 'r'});
		const lending = workforce.scratch('bare', {});
		return {calls, lending};
	};

	const all = ['sh', 'sleep', 'mkdir', 'cat', 'tail', 'df'].map(program => `/usr/bin/${program}`);
	const whole = await of(all);
	await whole.lending;
	t.deepEqual(whole.calls, ['create, read-only', 'start c1']);

	// Only the image has what is lent.
	const bare = await of(all.slice(1));
	await t.throwsAsync(bare.lending, {message: /^sh cannot be lent to a scratch container: /});
	t.deepEqual(bare.calls, ['create, read-only', 'remove c1', 'create', 'lend c3']);
});

test('whoever has the staging folder at two places is lent it by a worker that outlives it, and whose nameless volume goes with it', async t => {
	const created: Array<{name: string; volumes: unknown[]; grace: string | undefined}> = [];
	const engine = {
		inspect: staged,
		async create(name: string, {Entrypoint, HostConfig: host}: CreateOptions) {
			const volumes = (host?.Mounts ?? []).map(({Source: source, Target: target}) => `${source} ${target}`);
			created.push({name, volumes, grace: [...(Entrypoint ?? [])][8]});
			return name;
		},
		async start() {},
		async exec() {
			throw Object.assign(new Error('no such container'), {statusCode: 404});
		},
	} as unknown as Engine;
	const workforce = await hireWorkers({engine, self, agentId: 'a', run: 'r', offline: true});
	await workforce.repository([{type: 'volume', from: staging, to: '/shop/app', readOnly: false}], 'write');
	t.deepEqual(created, [
		{name: 'holdfast-staging-r', volumes: [' /staging'], grace: '25'},
		{name: 'holdfast-repository-r', volumes: ['staged /staging', 'staged /shop/app'], grace: '4'},
	]);
});

test('a worker says where it writes what its target has, and says nothing where it writes none of it: to its agent’s repository it always may', async t => {
	const told: Array<string | undefined> = [];
	const engine = {
		inspect: staged,
		async create(name: string, {Labels: labels}: CreateOptions) {
			if (name.startsWith('holdfast-repository')) {
				told.push(labels?.['holdfast.writes']);
			}

			return name;
		},
		async start() {},
		async exec() {
			throw Object.assign(new Error('no such container'), {statusCode: 404});
		},
	} as unknown as Engine;
	const repository = {type: 'volume', volume: 'repository', hostPath: '', path: '/repository', readWrite: true} as const;
	const workforce = await hireWorkers({engine, self: {...self, mounts: [repository]}, agentId: 'a', run: 'r', offline: true});
	const mount = {type: 'volume', from: 'data', to: '/shop/app/data', readOnly: false} as const;
	await workforce.repository([mount, {...mount, to: '/shop/app/media', readOnly: true}], 'write');
	await workforce.repository([mount], 'write all');
	await workforce.repository([mount], 'let go');
	await workforce.repository([mount], 'read');
	await workforce.repository([], 'write');
	await workforce.repository([{...mount, from: staging}], 'write');
	t.deepEqual(told, ['["/shop/app/data"]', '["/shop/app/data"]', undefined, undefined, undefined, undefined]);
});

test('where the agent has nothing mounted for its cache, a worker has a disk for it: its root is read-only, and restic would not begin', async t => {
	const cacheOf = async (mounts: Self['mounts']) => {
		let created: CreateOptions = {};
		const engine = {
			inspect: staged,
			async create(_name: string, options: CreateOptions) {
				created = options;
				return 'worker';
			},
			async start() {},
			async exec() {
				throw Object.assign(new Error('no such container'), {statusCode: 404});
			},
		} as unknown as Engine;
		const workforce = await hireWorkers({engine, self: {...self, mounts}, agentId: 'a', run: 'r', offline: true, cacheDirectory: '/cache'});
		await workforce.repository([], 'read');
		return (created.HostConfig?.Mounts ?? []).filter(({Target: target}) => target === '/cache');
	};
	t.like(await cacheOf([]), [{Type: 'volume', Source: '', ReadOnly: false}]);
	t.like(await cacheOf([{type: 'volume', volume: 'cache', hostPath: '/v/cache', path: '/cache', readWrite: true}]), [{Source: 'cache'}]);
});
