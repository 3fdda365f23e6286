/** The other agents of the engine that look at targets of this one, and who serves which by schedule. */
import type {OtherAgent} from '../../base/shapes/targets.ts';
import {type Container, knownName} from '../../docker/container.ts';
import {type EngineAgent, serverOf} from '../targets/agents.ts';
import type {Target} from '../targets/target.ts';

/** Pure. @param others agents of the engine, without this one */
export function divide(targets: readonly Target[], others: readonly EngineAgent[], self: EngineAgent) {
	/** By target: the name of the other agent's container. */
	const elsewhere = new Map<string, string>();
	const shared = new Map<EngineAgent, string[]>();
	for (const {name, project} of targets) {
		const server = serverOf(project, [self, ...others]);
		if (server !== undefined && server !== self) {
			elsewhere.set(name, server.name);
		}

		for (const other of others) {
			if (serverOf(project, [other]) !== undefined) {
				shared.set(other, [...(shared.get(other) ?? []), name]);
			}
		}
	}

	const waiting = others.filter(({isWaiting}) => isWaiting).map(describeWaiting);
	return {elsewhere, others: [...[...shared].map(([agent, names]) => describe(agent, names, elsewhere)), ...waiting]};
}

const describeWaiting = ({name}: EngineAgent): OtherAgent => ({
	agent: name,
	isAlive: true,
	finding: {
		level: 'warning',
		subject: name,
		message: 'this container is an agent with the very state of this one, and waits until this one has ended',
		hint: 'while an agent is being updated that is right; else end it, or give it a state of its own',
	},
});

function describe({name, isRunning}: EngineAgent, shared: readonly string[], elsewhere: ReadonlyMap<string, string>): OtherAgent {
	const served = shared.filter(target => elsewhere.get(target) === name);
	const what = served.length === 0 ? 'this one serves all that both see' : `it serves ${served.map(target => `\`${target}\``).join(', ')}`;
	return {
		agent: name,
		isAlive: isRunning,
		finding: {
			level: isRunning ? 'warning' : 'error',
			subject: name,
			message: `this container is another agent of this engine, and looks after ${shared.length} of the same targets: ${what}${isRunning ? '' : ', and it does not run'}`,
			hint: 'say to each agent which projects are its own: HOLDFAST_PROJECTS',
		},
	};
}

/** As its container shows it. An agent outside of the engine gives way to every other. */
export function ownAgent(containers: readonly Container[], containerId: string | undefined, projects: readonly string[]): EngineAgent {
	const own = containers.find(({id}) => id === containerId);
	return {id: containerId ?? '', name: own === undefined ? '\uFFFF' : knownName(own), project: own?.project, projects, isRunning: true};
}
