/** What Compose writes on its containers. Anybody can write it, so what is not well-formed is not believed. */

const label = 'com.docker.compose.';

type Labels = Readonly<Record<string, string>>;

export interface ComposeService {
	project: string;
	service: string;
}

const wellFormedProject = /^[a-z0-9][a-z0-9_-]*$/;
const wellFormedService = /^[a-zA-Z0-9][a-zA-Z0-9._-]*$/;

export function composeService(labels: Labels): ComposeService | undefined {
	const project = labels[`${label}project`] ?? '';
	const service = labels[`${label}service`] ?? '';
	return wellFormedProject.test(project) && wellFormedService.test(service) ? {project, service} : undefined;
}

/** The labels that claim a project or a service which is not well-formed, as `name=value`. */
export function malformedCompose(labels: Labels): string[] {
	if (composeService(labels) !== undefined) {
		return [];
	}

	return ['project', 'service'].filter(name => Object.hasOwn(labels, label + name)).map(name => `${label}${name}=${labels[label + name]}`);
}

/** `db:service_healthy:false,cache:service_started:true` → the services, and those of them that it is to be started anew with. */
export function dependencies(labels: Labels): {dependsOn: string[]; restartsWith: string[]} {
	const entries = (labels[`${label}depends_on`] ?? '')
		.split(',')
		.map(entry => entry.split(':'))
		.filter(([service = '']) => wellFormedService.test(service));
	const services = (chosen: typeof entries) => [...new Set(chosen.map(([service = '']) => service))];
	return {dependsOn: services(entries), restartsWith: services(entries.filter(([, , restart]) => restart === 'true'))};
}

/** From `docker compose run`: not the service itself. */
export const isOneOff = (labels: Labels): boolean => labels[`${label}oneoff`]?.toLowerCase() === 'true';

/** Compose counts replicas from 1; without a number comes last. */
export function replicaNumber(labels: Labels): number {
	const text = labels[`${label}container-number`] ?? '';
	return /^\d{1,9}$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
}
