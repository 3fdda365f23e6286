/** Whether a name is that of a target, now or once: who mistypes one must not be told that it has no restore points. */
import {noSuchTarget, type Survey} from '../plan/survey.ts';
import type {State} from '../state/state.ts';

/** One that had runs was a target once. An engine that does not answer knows of none, which says nothing. @throws {NotFoundError} */
export async function assertKnown(
	target: string,
	{state, survey}: {state: Pick<State, 'runs'>; survey: Pick<Survey, 'targets'>},
): Promise<void> {
	if (state.runs({target, limit: 1}).length > 0) {
		return;
	}

	const targets = await survey.targets().catch(() => undefined);
	if (targets?.every(({name}) => name !== target)) {
		throw noSuchTarget(target);
	}
}
