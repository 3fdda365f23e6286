import type {Plan} from '../plan/planned.ts';
import type {PlannedSource} from '../sources/kind.ts';
import type {PlanView} from './wire.ts';

/** A plan without what only the engine needs to know: ids, labels and host paths stay inside. */
export function planView(plan: Plan): PlanView {
	return {
		target: plan.target,
		sources: plan.sources.map(source => ({source: source.name, container: source.container.name, ...details(source)})),
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

function details(source: PlannedSource): {path?: string; database?: string; server?: string; exclude?: readonly string[]} {
	switch (source.kind) {
		case 'postgres':
			return {database: source.database, ...(source.external && {server: `${source.external.host}:${source.external.port}`})};
		case 'volume':
			return {path: source.mount.path, exclude: source.exclude};
		default:
			return {path: source.path};
	}
}
