/** Volumes. */
import {unless} from '../refusal.ts';
import type {Volume} from '../volumes.ts';
import {type Client, limited, removing} from './client.ts';

export interface Volumes {
	/** Names of those that carry the label. */
	listVolumes: (label: string) => Promise<string[]>;
	volumes: () => Promise<Volume[]>;
	/** No error when it is gone. */
	removeVolume: (name: string) => Promise<void>;
}

export const volumes = ({docker}: Client): Volumes => ({
	async listVolumes(label) {
		const {Volumes: found} = await docker.listVolumes({filters: {label: [label]}, ...limited()});
		return (found ?? []).map(volume => volume.Name);
	},
	async volumes() {
		const {Volumes: found} = await docker.listVolumes(limited());
		return (found ?? []).map(volume => {
			const {Name: name, Labels: labels, Driver: driver, Options: options} = volume;
			const createdAt = Date.parse((volume as {CreatedAt?: string}).CreatedAt ?? '');
			return {name, driver, labels: labels ?? {}, options: options ?? {}, ...(Number.isNaN(createdAt) ? {} : {createdAt})};
		});
	},
	removeVolume: async name => unless(404, docker.getVolume(name).remove(removing())),
});
