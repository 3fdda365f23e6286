import type {Plan} from '../plan/planned.ts';
import {kindOf} from '../sources/kinds.ts';
import type {PlanView} from './wire.ts';

/** A plan without what only the engine needs to know: ids, labels and host paths stay inside. */
export function planView(plan: Plan): PlanView {
	return {
		target: plan.target,
		sources: plan.sources.map(source => ({source: source.name, container: source.container.name, ...kindOf(source.kind).view(source)})),
		quiesce: plan.quiesce.map(({container, action, reason}) => ({container: container.name, action, reason})),
		hooks: plan.hooks.map(({container, hook, when}) => ({
			container: container.name,
			when,
			argv: hook.argv,
			...(hook.user === undefined ? {} : {user: hook.user}),
			timeoutSeconds: hook.timeoutMs / 1000,
			onError: hook.onError,
		})),
		quiesceTimeoutSeconds: plan.quiesceTimeoutMs / 1000,
		schedule: plan.schedule,
		scheduleFrom: plan.scheduleFrom,
		...(plan.scheduleCold === undefined ? {} : {scheduleCold: plan.scheduleCold}),
		notes: plan.notes,
	};
}
