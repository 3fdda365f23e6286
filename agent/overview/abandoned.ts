/**
 * Services of Swarm that a run of Holdfast has scaled to nothing, and that nobody scales up again: its agent, and the node with its journal, may be gone for good.
 * It stands on the service, so every manager's agent sees it, and says it. It does not do it: what a restore left half done must not be started by itself.
 */
import type {Notices} from '../../base/notices.ts';
import type {Finding} from '../../base/shapes/targets.ts';
import {duration} from '../../base/units.ts';
import type {Engine} from '../../docker/engine.ts';
import type {SwarmService} from '../../docker/stack.ts';
import type {State} from '../state/state.ts';

/** A restore may take as long, and an agent is started again by then. */
const patienceMs = 30 * 60_000;

interface Parts {
	engine: Pick<Engine, 'info' | 'services'>;
	state: Pick<State, 'open' | 'tellOnce'>;
	notices: Pick<Notices, 'send'>;
	now?: () => number;
}

/** Tells people once, and once more when it is over. Never rejects. */
export type Abandoned = () => Promise<Finding[]>;

export function createAbandoned({engine, state, notices, now = Date.now}: Parts): Abandoned {
	return async () => {
		const services = await servicesOf(engine).catch(() => undefined);
		if (services === undefined) {
			return [];
		}

		const ours = new Set(state.open().map(({run}) => run));
		const left = services.flatMap(service => (isLeft(service, now()) && !ours.has(service.scaled?.run ?? '') ? [service] : []));
		for (const service of left) {
			const {subject: target, message: text, hint} = describe(service, now());
			if (state.tellOnce(`scaled ${service.name}`, service.scaled?.run ?? '')) {
				notices.send({kind: 'gone', target, text, hint, at: now()});
			}
		}

		for (const {name} of services.filter(service => !left.includes(service))) {
			if (state.tellOnce(`scaled ${name}`, null)) {
				notices.send({kind: 'back', target: name, text: `the Swarm service \`${name}\` was scaled up again`, at: now()});
			}
		}

		return left.map(service => describe(service, now()));
	};
}

/** Undefined where it is no manager of a Swarm, which is not asked: a proxy need not let it. Another manager's agent says it then. */
async function servicesOf(engine: Parts['engine']): Promise<SwarmService[] | undefined> {
	const {isManager} = await engine.info();
	return isManager ? engine.services() : undefined;
}

const isLeft = ({replicas, scaled}: SwarmService, now: number): boolean =>
	replicas === 0 && scaled !== undefined && now - scaled.at > patienceMs;

const describe = ({name, scaled}: SwarmService, now: number): Finding => ({
	level: 'error',
	subject: name,
	message: `run ${scaled?.run} scaled this Swarm service from ${scaled?.replicas} to 0 tasks ${duration((now - (scaled?.at ?? now)) / 1000)} ago, and nobody has scaled it up again: the agent of that run is away, with what it was to put back`,
	hint: `bring its node back; or if that is gone for good, look at the data where a restore was under way, and run \`docker service scale ${name}=${scaled?.replicas}\``,
});
