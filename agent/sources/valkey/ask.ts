/** What only the server can say: where it keeps its data, and whether it is one of several. */
import type {Engine} from '../../../docker/engine.ts';
import type {Asked} from '../kind.ts';
import {accessOf, type ValkeyPolicy} from './labels.ts';
import {withValkey} from './server.ts';

export interface ValkeyAnswer {
	/** As its container sees it. */
	folder: string;
	/** Whose replica it is. */
	master: {address: string; isUp: boolean} | undefined;
	isCluster: boolean;
}

/** Undefined: there is no server to ask. */
export const askValkey = ({container, policy}: Asked<ValkeyPolicy | undefined>, {engine}: {engine: Engine}) =>
	policy !== undefined && container.state === 'running'
		? withValkey(engine, container, {access: accessOf(policy, container)}, async (server): Promise<ValkeyAnswer> => {
				const info = await server.info();
				return {folder: server.folder, master: masterOf(info), isCluster: info.get('cluster_enabled') === '1'};
			})
		: undefined;

export function masterOf(info: ReadonlyMap<string, string>): ValkeyAnswer['master'] {
	return info.get('role') === 'slave'
		? {address: `${info.get('master_host')}:${info.get('master_port')}`, isUp: info.get('master_link_status') === 'up'}
		: undefined;
}
