/**
 * A service of Swarm that was scaled to nothing has no container any more once its node's engine was started anew: Swarm removes those of tasks that are
 * not wanted. What it was is in the journal for as long as it is to be put back, so that its target, and what it had mounted, are known until then.
 */
import type {Container} from './container.ts';
import type {Engine} from './engine.ts';
import type {Journal} from './resume.ts';

export const withRemembered = (engine: Engine, journal: Pick<Journal, 'open'>): Engine => ({
	...engine,
	async list() {
		const containers = await engine.list();
		const found = new Set(containers.map(({swarm}) => swarm?.service));
		for (const {undo} of journal.open()) {
			if (undo.kind === 'scale' && undo.container !== undefined && !found.has(undo.service)) {
				found.add(undo.service);
				containers.push({...undo.container, state: 'exited'} satisfies Container);
			}
		}

		return containers;
	},
});
