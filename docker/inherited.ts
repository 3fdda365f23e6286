/** What workers have of the agent's own container: they reach what it reaches, and take no more of the machine than it may. Pure. */
import type {CreateOptions} from './calls/containers.ts';

type HostConfig = NonNullable<CreateOptions['HostConfig']>;

/** Of every worker, or of those alone that have a network. */
export interface Inherited {
	limits: HostConfig;
	/** How names become addresses. Nothing where the agent lives in another container's network: then that one's count. */
	names: HostConfig;
	/** How the host's user ids and labels are seen. */
	isolation: HostConfig;
}

/** 0: unlimited. Undefined: as the agent's own container. */
export interface WorkerLimits {
	memoryBytes?: number | undefined;
	cpus?: number | undefined;
}

const memoryNames = ['Memory', 'MemorySwap', 'MemoryReservation', 'MemorySwappiness'] as const;
const cpuNames = ['NanoCpus', 'CpuPeriod', 'CpuQuota'] as const;
const otherLimits = [
	'CpuShares',
	'CpusetCpus',
	'CpusetMems',
	'BlkioWeight',
	'BlkioWeightDevice',
	'BlkioDeviceReadBps',
	'BlkioDeviceWriteBps',
	'BlkioDeviceReadIOps',
	'BlkioDeviceWriteIOps',
	'OomScoreAdj',
	'CgroupParent',
] as const;
const nameSettings = ['ExtraHosts', 'Dns', 'DnsSearch', 'DnsOptions'] as const;

export function inheritedFrom(own: Readonly<HostConfig>, {memoryBytes, cpus}: WorkerLimits = {}): Inherited {
	const labels = ((own.SecurityOpt ?? []) as string[]).filter(option => option.startsWith('label'));
	return {
		limits: {
			...chosen(own, otherLimits),
			...(memoryBytes === undefined ? chosen(own, memoryNames) : memoryBytes === 0 ? {} : {Memory: memoryBytes}),
			...(cpus === undefined ? chosen(own, cpuNames) : cpus === 0 ? {} : {NanoCpus: Math.round(cpus * 1e9)}),
		},
		names: chosen(own, nameSettings),
		isolation: {...chosen(own, ['UsernsMode']), ...(labels.length > 0 ? {SecurityOpt: labels} : {})},
	};
}

/** What is set; the engine shows what is not as 0, null, -1, an empty text or an empty list. */
function chosen(own: Readonly<HostConfig>, names: ReadonlyArray<keyof HostConfig>): HostConfig {
	const isSet = (value: unknown) =>
		Array.isArray(value) ? value.length > 0 : value !== undefined && value !== null && value !== 0 && value !== -1 && value !== '';
	return Object.fromEntries(names.filter(name => isSet(own[name])).map(name => [name, own[name]]));
}
