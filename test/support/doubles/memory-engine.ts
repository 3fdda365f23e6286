/** An engine of containers that are only states. */
import {Duplex} from 'node:stream';
import type {Container, ContainerState} from '../../../docker/container.ts';
import type {ContainerDetails} from '../../../docker/details.ts';
import type {Engine} from '../../../docker/engine.ts';
import {runningContainer} from './container.ts';

interface Held {
	container: Container;
	state: ContainerState;
	starts: number;
}

export interface MemoryEngine extends Engine {
	/** Of all containers: `app running`. */
	states: () => string[];
	/** What was executed to its end: `app touch /hooked`. */
	executed: readonly string[];
	/** How long a command takes. */
	execMs: (argv: readonly string[]) => number;
}

const nothing = async (): Promise<never> => {
	throw new Error('this engine cannot do that');
};

/** Ends with 0 and says nothing but its pid, as the wrapper does. */
function silent(takesMs: number, onEnd: () => void) {
	const stream = new Duplex({read() {}, write: (_chunk, _encoding, callback) => callback()});
	stream.push(Buffer.from([2, 0, 0, 0, 0, 0, 0, 2, 0x31, 0x0a]));
	let running = true;
	const end = () => {
		running = false;
		onEnd();
		stream.push(null);
	};
	if (takesMs === 0) {
		end();
	} else {
		setTimeout(end, takesMs);
	}

	return {stream, inspect: async () => ({running, exitCode: 0})};
}

export function memoryEngine(containers: readonly Container[]): MemoryEngine {
	const held = new Map<string, Held>(containers.map(container => [container.id, {container, state: container.state, starts: 0}]));
	const executed: string[] = [];
	const executing = new Map<string[], string>();
	const get = (id: string): Held => {
		const found = held.get(id);
		if (found === undefined) {
			throw Object.assign(new Error(`No such container: ${id}`), {statusCode: 404});
		}

		return found;
	};
	const detailsOf = ({container: {id, name, imageId, labels, mounts}, state, starts}: Held): ContainerDetails => ({
		id,
		name,
		imageId,
		labels,
		mounts,
		state,
		startedAt: String(starts),
		pid: state === 'running' ? 1 : 0,
		pidMode: '',
		ipcMode: '',
		networkMode: 'default',
		networks: [],
		// Who has a health check is judged at once.
		health: state === 'running' ? 'healthy' : 'unhealthy',
		exitCode: 0,
		env: {},
		user: '',
		autoRemove: false,
		hostConfig: {},
		stopTimeoutSeconds: 10,
	});
	const engine: MemoryEngine = {
		address: 'memory',
		executed,
		execMs: () => 0,
		states: () => [...held.values()].map(({container: {name}, state}) => `${name} ${state}`),
		info: async () => ({name: 'memory', version: '28.0.0', dataRoot: '/var/lib/docker', time: Date.now()}),
		list: async () => [...held.values()].map(({container, state}) => ({...container, state})),
		inspect: async id => detailsOf(get(id)),
		death: async () => undefined,
		signalled: async () => undefined,
		async pause(id) {
			get(id).state = 'paused';
		},
		async unpause(id) {
			get(id).state = 'running';
		},
		async start(id) {
			const found = get(id);
			if (found.state !== 'running') {
				found.state = 'running';
				found.starts += 1;
			}
		},
		async stop(id) {
			get(id).state = 'exited';
		},
		async exec(id, {argv}) {
			if (get(id).state !== 'running') {
				throw Object.assign(new Error(`container ${id} is not running`), {statusCode: 409});
			}

			const command = [...argv];
			executing.set(command, id);
			return silent(engine.execMs(argv), () => {
				executing.delete(command);
				executed.push([get(id).container.name, ...argv.slice(argv[0] === 'sh' ? 4 : 0)].join(' '));
			});
		},
		executing: async id => [...executing].flatMap(([argv, where]) => (where === id ? [argv] : [])),
		async create(name, {HostConfig: host}) {
			const mounts = (host?.Mounts ?? []).map(({Target: path}) => ({
				type: 'volume' as const,
				path,
				volume: path,
				hostPath: path,
				readWrite: true,
			}));
			held.set(name, {container: {...runningContainer(name), mounts}, state: 'created', starts: 0});
			return name;
		},
		async remove(id) {
			held.delete(id);
		},
		connect: async () => {},
		removeVolume: async () => {},
		listVolumes: async () => [],
		volumes: async () => [],
		service: async () => undefined,
		services: async () => [],
		tasks: async () => [],
		scale: nothing,
		top: nothing,
		stat: nothing,
		archive: nothing,
		putArchive: nothing,
		events: nothing,
	};
	return engine;
}
