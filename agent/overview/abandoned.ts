/**
 * Services of Swarm that a run of Holdfast has scaled to nothing, and that nobody scales up again: its agent, and the node with its journal, may be gone for good.
 * It stands on the service, so every manager's agent sees it, and says it. It does not do it: what a restore left half done must not be started by itself.
 */
import type {Notices} from '../../base/notices.ts';
import type {Finding} from '../../base/shapes/targets.ts';
import {duration} from '../../base/units.ts';
import type {SwarmService} from '../../docker/stack.ts';
import type {State} from '../state/state.ts';

/** A restore may take as long, and an agent is started again by then. */
const patienceMs = 30 * 60_000;

interface Parts {
	state: Pick<State, 'open' | 'tellOnce'>;
	notices: Pick<Notices, 'send'>;
	now?: () => number;
}

/** Tells people once, and once more when it is over. @param services undefined where this node does not know them: another manager's agent says it then */
export type Abandoned = (services: readonly SwarmService[] | undefined) => Finding[];

export function createAbandoned({state, notices, now = Date.now}: Parts): Abandoned {
	return (services = []) => {
		const ours = new Set(state.open().map(({run}) => run));
		return services.flatMap(service => {
			const {name, scaled} = service;
			const run = scaled?.run ?? '';
			if (!isLeft(service, now()) || ours.has(run)) {
				if (state.tellOnce(`scaled ${name}`, null)) {
					notices.send({kind: 'back', target: name, text: `the Swarm service \`${name}\` was scaled up again`, at: now()});
				}

				return [];
			}

			const finding = describe(service, now());
			if (state.tellOnce(`scaled ${name}`, run)) {
				notices.send({kind: 'gone', target: name, text: finding.message, hint: finding.hint, at: now()});
			}

			return [finding];
		});
	};
}

const isLeft = ({replicas, scaled}: SwarmService, now: number): boolean =>
	replicas === 0 && scaled !== undefined && now - scaled.at > patienceMs;

const describe = ({name, scaled}: SwarmService, now: number): Finding => ({
	level: 'error',
	subject: name,
	message: `run ${scaled?.run} scaled this Swarm service from ${scaled?.replicas} to 0 tasks ${duration((now - (scaled?.at ?? now)) / 1000)} ago, and nobody has scaled it up again: the agent of that run is away, with what it was to put back`,
	hint: `bring its node back; or if that is gone for good, look at the data where a restore was under way, and run \`docker service scale ${name}=${scaled?.replicas}\``,
});
