/** What Valkey and Redis servers have in memory. */
import type {Kind} from '../kind.ts';
import {workerMount} from '../mounts.ts';
import {askValkey, type ValkeyAnswer} from './ask.ts';
import {valkeySource} from './backup.ts';
import {checkValkey} from './check.ts';
import {valkeyDrilling} from './drill.ts';
import {examineValkey} from './examine.ts';
import {accessOf, type ValkeyPolicy, valkeyLabels, valkeyPolicy} from './labels.ts';
import {claimedData, mountOfFolder, type PlannedServer, valkeySources} from './plan.ts';
import {confirmServer, type ReplacedServer, releaseServer, replacedServer, rollBackServer, valkeyRestoring} from './restore.ts';
import {withValkey} from './server.ts';

export const valkey: Kind<ValkeyPolicy | undefined, ValkeyAnswer, PlannedServer, ReplacedServer> = {
	kind: 'valkey',
	title: 'Valkey',
	isDatabase: true,
	isServed: true,
	isTree: false,
	servers: [
		{
			title: 'Valkey',
			image: /(?:^|\/)(?:valkey|redis|redis-stack(?:-server)?|valkey-bundle)$/,
			processes: ['valkey-server', 'redis-server'],
			port: 6379,
			labels: {valkey: 'true'},
			isSure: true,
		},
	],
	writesToMount: false,
	rank: 3,
	isRestoredAtRest: true,
	labels: valkeyLabels,
	policy: valkeyPolicy,
	asks: policy => policy !== undefined,
	ask: askValkey,
	plan: valkeySources,
	claims: claimedData,
	covers: ({data = []}) => data.map(mount => ({mount, withInside: false})),
	// A server must answer while it is saved.
	stillness: () => 'forbidden',
	view: () => ({}),
	examine: examineValkey,
	backup: valkeySource,
	place({source, details}, {container, policy, isForeign}) {
		const folder = typeof details.folder === 'string' ? details.folder : undefined;
		return isForeign && policy === undefined
			? `\`${source}\`: no label of container \`${container.name}\` asks for a Valkey server`
			: {name: source, container, kind: 'valkey', access: accessOf(policy, container), mount: mountOfFolder(container, folder)};
	},
	check: checkValkey,
	serving: async (container, {engine}) => ({
		software: 'Valkey',
		folders: await withValkey(engine, container, {access: {}}, async ({folder}) => [folder]).catch(() => []),
	}),
	// Twice, where the server keeps an append-only file of one piece.
	writing: source =>
		source.mount === undefined
			? {folder: '/', atMost: 0}
			: {folder: workerMount(source.target, {name: source.name, mount: source.mount}).to, atMost: 2 * source.stored.bytes},
	restore: valkeyRestoring,
	replaced: replacedServer,
	confirm: confirmServer,
	rollBack: rollBackServer,
	release: releaseServer,
	describe: ({old}) => `folder ${old.slice(old.lastIndexOf('/') + 1)}`,
	drill: valkeyDrilling,
};
