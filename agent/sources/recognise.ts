/** Servers by what they look like: the process that runs, or else the image, or else the port. Pure. */
import {basename} from 'node:path/posix';
import type {Container} from '../../docker/container.ts';

/** What a server looks like, and what would protect it. */
export interface KnownServer {
	/** For people: `MongoDB`. */
	title: string;
	image: RegExp;
	/** As the kernel calls them. */
	processes: readonly string[];
	/** That it listens on. */
	port: number;
	/** The labels that ask for it, without the prefix. */
	labels: Readonly<Record<string, string>>;
	/** Holdfast knows it well enough to be asked for without a person. Else its labels are a proposal. */
	isSure: boolean;
}

export interface Recognised {
	server: KnownServer;
	/** For people: `its process \`mongod\``. */
	by: string;
	/** A process of it was seen. */
	isSeen: boolean;
}

/** Who only looks at a server, or hands on to one, mostly has its name in its own. */
const companion = /exporter|backup|admin|express|commander|proxy|bouncer|pool|client|tools?(?:$|[-_])|operator|insight|init|migrat|restore/;

/** Without registry, tag and digest. */
const repositoryOf = (image: string): string => image.replace(/@.*$/, '').replace(/:[^/]*$/, '');

/** @param processes the programs that run in it; undefined: nobody could look */
export function recognise(
	{image, ports = []}: Pick<Container, 'image' | 'ports'>,
	servers: readonly KnownServer[],
	processes: readonly string[] | undefined,
): Recognised | undefined {
	for (const server of servers) {
		const process = processes?.find(name => server.processes.includes(name));
		if (process !== undefined) {
			return {server, by: `its process \`${process}\``, isSeen: true};
		}
	}

	// What runs is known, and is something else.
	if (processes !== undefined) {
		return undefined;
	}

	const name = repositoryOf(image);
	const looks = companion.test(basename(name)) ? undefined : servers.find(server => server.image.test(name));
	if (looks !== undefined) {
		return {server: looks, by: `its image \`${image}\``, isSeen: false};
	}

	const listens = servers.find(({port}) => ports.includes(port));
	return listens === undefined ? undefined : {server: listens, by: `its port ${listens.port}`, isSeen: false};
}
