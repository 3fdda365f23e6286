/** What a volume of the driver `local` is a name of, as its options say it: `mount`'s own. Pure. */
import {normalize} from 'node:path/posix';
import type {Folder} from './container.ts';
import {host} from './storage.ts';

export interface Volume {
	name: string;
	labels: Readonly<Record<string, string>>;
	driver: string;
	options: Readonly<Record<string, string>>;
	/** Milliseconds since 1970; undefined where the engine, or who serves the volume, does not say. */
	createdAt?: number | undefined;
}

const tidy = (path: string): string => normalize(path).replace(/(?<=.)\/$/, '');

/** Options that say which part of a device is mounted: with them, one device is several storages. */
const parts = /^(?:subvolid|loop|offset|sizelimit)=/;

/** @returns nothing where the engine keeps the data itself, or where it is not known what it is a name of */
export function foldersOf({driver, options}: Pick<Volume, 'driver' | 'options'>): Folder[] {
	const {type = '', device = ''} = options;
	const given = (options.o ?? '').split(',').map(option => option.trim());
	if (driver !== 'local' || device === '' || type === 'tmpfs' || type === 'ramfs' || type === 'overlay') {
		return [];
	}

	if (given.some(option => option === 'bind' || option === 'rbind')) {
		return device.startsWith('/') ? [{in: host, path: tidy(device)}] : [];
	}

	const address = given.find(option => option.startsWith('addr='))?.slice('addr='.length);
	const [server = '', exported = ''] = device.split(/:(?=\/)/, 2);
	if (/^nfs4?$/.test(type) && exported !== '') {
		return [{in: `nfs ${address ?? server}`, path: tidy(exported)}];
	}

	const [, share = '', folder = '/'] = /^\/\/([^/]+\/[^/]+)(\/.*)?$/.exec(device) ?? [];
	if (/^(?:cifs|smb3?)$/.test(type) && share !== '') {
		return [{in: `cifs ${share.toLowerCase()}`, path: tidy(folder)}];
	}

	// A subvolume is a folder of its file system, and seen in those around it.
	const subvolume = given.find(option => option.startsWith('subvol='))?.slice('subvol='.length) ?? '/';
	return [{in: ['device', device, ...given.filter(option => parts.test(option)).sort()].join(' '), path: tidy(`/${subvolume}`)}];
}
