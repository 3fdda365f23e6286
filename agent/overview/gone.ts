/** Targets that were backed up and are not found any more: they are missed until they come back, or a person says that it is meant so. */

import {NotFoundError, UsageError} from '../../base/errors.ts';
import {label} from '../../base/label.ts';
import type {Notices} from '../../base/notices.ts';
import type {GoneTarget} from '../../base/shapes/targets.ts';
import type {Container} from '../../docker/container.ts';
import type {State} from '../state/state.ts';
import type {Target} from '../targets/target.ts';

/** Who is recreated or updated is away for a moment: nobody is told of that. */
const graceMs = 2 * 60_000;

interface Parts {
	state: Pick<State, 'see' | 'miss' | 'watched' | 'unwatch' | 'tellOnce' | 'runs'>;
	notices: Pick<Notices, 'send'>;
	/** Of labels. */
	prefix: string;
	now?: () => number;
}

export interface Missing {
	/** @param targets what there is now, as far as this agent serves it @returns who is missed */
	look: (targets: readonly Target[], containers: readonly Container[]) => GoneTarget[];
	/** @param present names of the targets that there are @throws {NotFoundError | UsageError} */
	forget: (target: string, present: readonly string[]) => void;
}

export function createMissing({state, notices, prefix, now = Date.now}: Parts): Missing {
	const lastSuccess = (target: string): number | undefined =>
		state.runs({target, operation: 'backup', outcome: 'success', limit: 1})[0]?.finishedAt ?? undefined;

	const describe = (target: string, since: number, containers: readonly Container[]): GoneTarget => {
		const success = lastSuccess(target);
		const until = success === undefined ? '' : ` until ${new Date(success).toISOString()}`;
		return {
			target,
			since: new Date(since).toISOString(),
			message: `\`${target}\` was backed up${until} and is not found any more${whereabouts(target, containers, prefix)}; its restore points are kept`,
			hint: `bring it back; or if it is gone on purpose: holdfast forget ${target}; or if it has a new name: holdfast move ${target} NEW`,
		};
	};

	return {
		look(targets, containers) {
			const present = new Set(targets.map(({name}) => name));
			for (const target of present) {
				state.see(target);
				if (state.tellOnce(`gone ${target}`, null)) {
					notices.send({kind: 'back', target, text: `\`${target}\` is there again`, at: now()});
				}
			}

			for (const {target} of state.watched().filter(each => !present.has(each.target))) {
				state.miss(target, now());
			}

			const gone = state
				.watched()
				.flatMap(({target, goneSince}) =>
					goneSince === null || lastSuccess(target) === undefined ? [] : [describe(target, goneSince, containers)],
				);
			for (const {target, since, message, hint} of gone) {
				if (now() - Date.parse(since) >= graceMs && state.tellOnce(`gone ${target}`, since)) {
					notices.send({kind: 'gone', target, text: message, hint, at: now()});
				}
			}

			return gone;
		},
		forget(target, present) {
			if (present.includes(target)) {
				throw new UsageError(`\`${target}\` is still there: it is backed up by its labels`, {
					hint: `take the label ${label('enable')} away from it first`,
				});
			}

			if (!state.unwatch(target)) {
				throw new NotFoundError(`no target \`${target}\` is missed`, {hint: 'holdfast status shows those that are'});
			}

			state.tellOnce(`gone ${target}`, null);
		},
	};
}

/** Why it may not be found, as far as the engine shows it. Pure. */
function whereabouts(target: string, containers: readonly Container[], prefix: string): string {
	const [project, service] = target.split('/');
	const left = containers.find(container =>
		service === undefined ? container.name === target : container.project === project && container.service === service,
	);
	if (left !== undefined) {
		return `: its container \`${left.name}\` is there, without the label \`${prefix}enable\` (labels below \`deploy:\` are none of a container's)`;
	}

	return containers.some(container => container.project === project) ? ': its project is there, and has no such service' : '';
}
