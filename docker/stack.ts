/** What Docker Swarm says of its services, and writes on the containers of their tasks. Anybody can write it, so what is not well-formed is not believed. */

/** As managers know it; other nodes know nothing of services. */
export interface SwarmService {
	id: string;
	name: string;
	/** `global`: one on each node, whose number is nobody's to say. */
	mode: 'replicated' | 'global';
	/** How many tasks there are to be; 0 for what is global. */
	replicas: number;
	/** How many run, and are healthy where they have a check. */
	running: number;
	/** Those of the service itself: `deploy.labels`. */
	labels: Readonly<Record<string, string>>;
	/** Those of its tasks' containers: `labels`. */
	taskLabels?: Readonly<Record<string, string>> | undefined;
	/** A run of Holdfast scaled it to nothing, and it was not scaled since by that or by a deployment. */
	scaled?: Scaled | undefined;
}

/** Stands in the service itself: whoever did it may be gone for good, and its journal with it. */
export interface Scaled {
	/** How many tasks it had. */
	replicas: number;
	run: string;
	/** Milliseconds since 1970, by the clock of who did it. */
	at: number;
}

/** None of a target's: it is not among `labels`. */
export const scaledLabel = 'holdfast.scaled';

export const scaledText = ({replicas, run, at}: Scaled): string => `${replicas} ${run} ${Math.floor(at / 1000)}`;

/** Anybody can write it. */
export function scaledOf(labels: Readonly<Record<string, string>>): Scaled | undefined {
	const [, replicas, run, at] = /^([1-9]\d{0,5}) ([\w-]{1,100}) (\d{1,11})$/.exec(labels[scaledLabel] ?? '') ?? [];
	return run === undefined ? undefined : {replicas: Number(replicas), run, at: Number(at) * 1000};
}

/** As managers know it. */
export interface SwarmTaskState {
	/** As Swarm calls it: `running`, `failed`, … */
	state: string;
	/** Milliseconds since 1970, by the clock of its node. */
	since: number;
	/** Undefined where it has none yet. */
	container: string | undefined;
}

/** The service that a container is a task of, as its labels say: anybody can write them, so Swarm is asked before anything is done about it. */
export interface SwarmTask {
	/** The id of the service. */
	service: string;
	/** Of the service: in a stack it begins with the stack's. */
	name: string;
	/** Undefined where it is not known: this node is no manager. */
	mode?: SwarmService['mode'] | undefined;
}

type Labels = Readonly<Record<string, string>>;

const id = /^[a-z0-9]{25}$/;
const wellFormedName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const wellFormedStack = /^[a-z0-9][a-z0-9_-]*$/i;

export function swarmTask(labels: Labels): SwarmTask | undefined {
	const task = labels['com.docker.swarm.task.id'] ?? '';
	const service = labels['com.docker.swarm.service.id'] ?? '';
	const name = labels['com.docker.swarm.service.name'] ?? '';
	return id.test(task) && id.test(service) && wellFormedName.test(name) ? {service, name} : undefined;
}

/** A stack is what a project is in Compose. */
export function stackService(labels: Labels): {project: string; service: string} | undefined {
	const stack = labels['com.docker.stack.namespace'] ?? '';
	const name = swarmTask(labels)?.name;
	return name?.startsWith(`${stack}_`) && wellFormedStack.test(stack) ? {project: stack, service: name.slice(stack.length + 1)} : undefined;
}
