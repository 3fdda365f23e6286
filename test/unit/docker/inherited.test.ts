import test from 'ava';
import {inheritedFrom} from '../../../docker/inherited.ts';

// As the engine shows a container without any of it
const bare = {
	Memory: 0,
	MemorySwap: 0,
	MemorySwappiness: -1,
	NanoCpus: 0,
	CpuShares: 0,
	CpusetCpus: '',
	BlkioWeight: 0,
	BlkioWeightDevice: [],
	Dns: [],
	ExtraHosts: null,
	OomScoreAdj: 0,
	CgroupParent: '',
	UsernsMode: '',
	SecurityOpt: ['no-new-privileges:true'],
} as never;

test('what is not set is not inherited', t => {
	t.deepEqual(inheritedFrom(bare), {limits: {}, names: {}, isolation: {}});
});

test('workers may use what the agent may, and resolve names as it does', t => {
	t.deepEqual(
		inheritedFrom({
			...(bare as object),
			Memory: 512,
			MemorySwap: 1024,
			NanoCpus: 5e8,
			CpuShares: 10,
			BlkioWeight: 100,
			OomScoreAdj: 500,
			CgroupParent: 'backup.slice',
			ExtraHosts: ['nas:10.0.0.2'],
			Dns: ['10.0.0.1'],
			DnsSearch: ['lan'],
			SecurityOpt: ['label=disable'],
		}),
		{
			limits: {
				Memory: 512,
				MemorySwap: 1024,
				NanoCpus: 5e8,
				CpuShares: 10,
				BlkioWeight: 100,
				OomScoreAdj: 500,
				CgroupParent: 'backup.slice',
			},
			names: {ExtraHosts: ['nas:10.0.0.2'], Dns: ['10.0.0.1'], DnsSearch: ['lan']},
			isolation: {SecurityOpt: ['label=disable']},
		},
	);
});

test('what a variable says counts more; unlimited is possible', t => {
	const own = {Memory: 512, MemorySwap: 1024, NanoCpus: 5e8};
	t.deepEqual(inheritedFrom(own, {memoryBytes: 2048, cpus: 1.5}).limits, {Memory: 2048, NanoCpus: 15e8});
	t.deepEqual(inheritedFrom(own, {memoryBytes: 0, cpus: 0}).limits, {});
});
