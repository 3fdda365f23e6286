/** What is not backed up because somebody stopped what would have to answer: told when it begins, when it changes and when it is over. */
import {RestingError} from '../../base/errors.ts';
import type {Notices} from '../../base/notices.ts';
import {lackOf} from '../../base/results.ts';
import type {Plan} from '../plan/planned.ts';
import type {State} from '../state/state.ts';

/** @throws {RestingError} where nothing at all is left to back up: that is no lateness */
export function assertAwake({target, sources, absent}: Pick<Plan, 'target' | 'sources' | 'absent'>, state: Pick<State, 'rest'>): void {
	const [first] = absent;
	if (sources.length === 0 && first !== undefined) {
		state.rest(target, Date.now());
		throw new RestingError(`\`${target}\` is not backed up: ${first.why}`, {hint: first.hint});
	}
}

interface Parts {
	state: Pick<State, 'tellOnce'>;
	notices: Pick<Notices, 'send'>;
}

export function tellAbsent({target, sources, absent}: Pick<Plan, 'target' | 'sources' | 'absent'>, {state, notices}: Parts): void {
	const subject = `absent ${target}`;
	const lack = lackOf({absent: absent.map(({source, why}) => ({source, why}))});
	const hint = [...new Set(absent.map(each => each.hint))].join('; ');
	if (lack === undefined) {
		if (state.tellOnce(subject, null)) {
			notices.send({kind: 'back', target, text: `all of \`${target}\` is backed up again`, at: Date.now()});
		}
	} else if (state.tellOnce(subject, lack)) {
		const what = sources.length === 0 ? 'is not backed up' : 'is backed up in part only';
		notices.send({
			kind: 'resting',
			target,
			text: `\`${target}\` ${what}, ${lack}; this is not said again until it changes`,
			hint,
			at: Date.now(),
		});
	}
}
