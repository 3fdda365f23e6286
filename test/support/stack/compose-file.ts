/** What an engine would list of a Compose file, without an engine: projects, services, labels and mounts as Compose writes them. */
import {parse} from 'yaml';
import {type Container, containerFromList} from '../../../docker/container.ts';

interface ServiceFile {
	image?: string;
	container_name?: string;
	labels?: readonly string[] | Record<string, unknown>;
	environment?: readonly string[] | Record<string, unknown>;
	volumes?: readonly string[];
}

const pairs = (given: ServiceFile['labels'] = {}): Record<string, string> =>
	Object.fromEntries(
		(Array.isArray(given) ? given.map(line => line.split(/=(.*)/s)) : Object.entries(given)).map(([name, value]) => [
			name,
			String(value ?? ''),
		]),
	);

/** @returns the containers, and the environment of each by its id */
export function containersOf(
	project: string,
	text: string,
): {containers: Container[]; environments: Record<string, Record<string, string>>} {
	const {services, volumes = {}} = parse(text.replaceAll('$$', '$')) as {
		services: Record<string, ServiceFile>;
		volumes?: Record<string, {external?: boolean; name?: string} | null>;
	};
	const mountOf = (line: string) => {
		const [from = '', to = '', mode = ''] = line.split(':');
		const isBind = /^[./~]/.test(from);
		const name = volumes[from]?.name ?? (volumes[from]?.external ? from : `${project}_${from}`);
		const source = isBind ? from.replace(/^\./, `/srv/${project}`).replace(/\/$/, '') : `/var/lib/docker/volumes/${name}/_data`;
		return {
			Type: isBind ? 'bind' : 'volume',
			...(isBind ? {} : {Name: name}),
			Source: source,
			Destination: to,
			RW: !/\bro\b/.test(mode),
		};
	};
	const containers = Object.entries(services).map(([service, {image = service, container_name, labels, volumes: mounts = []}]) =>
		containerFromList({
			Id: `${project}-${service}`,
			Names: [`/${container_name ?? `${project}-${service}-1`}`],
			Image: image,
			ImageID: `sha256:${image}`,
			Created: 0,
			State: 'running',
			Labels: {'com.docker.compose.project': project, 'com.docker.compose.service': service, ...pairs(labels)},
			Mounts: mounts.map(mountOf),
		}),
	);
	const environments = Object.fromEntries(
		Object.entries(services).map(([service, {environment}]) => [`${project}-${service}`, pairs(environment)]),
	);
	return {containers, environments};
}
