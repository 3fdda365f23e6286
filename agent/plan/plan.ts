/** Targets + policy → what a run will do. Pure and printable: `holdfast plan` shows it before anything is touched. */

import {defaultPrefix} from '../../base/label.ts';
import {printable} from '../../base/printable.ts';
import type {Problem} from '../../base/problem.ts';
import {quote} from '../../base/reading/quote.ts';
import type {Container} from '../../docker/container.ts';
import {kindOf, kinds} from '../sources/kinds.ts';
import {collectRemarks, type Remarks} from '../sources/remarks.ts';
import type {PlannedSource} from '../sources/source.ts';
import type {Target} from '../targets/target.ts';
import {subjectOf} from '../targets/target.ts';
import {type Answers, isOfOneMoment, type Plan, type PlannedHook, type PlanRequest} from './planned.ts';
import {planQuiesce, servicesOf} from './quiesce.ts';
import {planSources} from './sources.ts';

const defaultQuiesceTimeoutMs = 5 * 60_000;

/** The longest outage that a person allows, in milliseconds. */
export const outageLimitOf = ({policy}: Pick<Target, 'policy'>): number => policy.quiesceTimeoutMs ?? defaultQuiesceTimeoutMs;

/** The problems are those of the plan; the target's own come beside them. With any of either the target is not run. */
export function planTarget(request: PlanRequest): {plan: Plan; problems: readonly Problem[]} {
	const {
		target,
		containers,
		answers = new Map(),
		defaults,
		cold = false,
		prefix = defaultPrefix,
		self,
		dataRoot = '/var/lib/docker',
	} = request;
	const remarks = collectRemarks();
	const agent = containers.find(({id}) => id === self);
	const sources = planSources({target, answers, prefix, defaults}, {dataRoot, self: agent}, remarks);
	const rests = remarks.absent.length > 0;
	remarks.settle({hasSource: rests || sources.length > 0, hasDump: rests || sources.some(({kind}) => !kindOf(kind).isTree)});
	const still = planQuiesce({target, containers, self, defaults, cold, prefix, sources}, remarks);
	const hooks = planHooks(target, remarks);
	for (const member of target.members.filter(({suggestion}) => suggestion !== undefined)) {
		remarks.about(subjectOf(target, member)).note(`protected without a label (HOLDFAST_AUTO): ${member.suggestion?.join('; ')}`);
	}

	checkServices(target, containers, {prefix, self, remarks});
	checkStrain(target, answers, {sources, isMoment: isOfOneMoment({sources, ...still, hooks}), remarks});
	for (const {source, why} of remarks.absent) {
		remarks.note(`\`${printable(source)}\` is left out: ${why}`);
	}

	for (const member of target.members) {
		for (const note of member.translated ?? []) {
			remarks.about(subjectOf(target, member)).note(note);
		}
	}

	const {schedule, scheduleCold} = target.policy;
	const plan: Plan = {
		target: target.name,
		sources,
		...still,
		absent: remarks.absent,
		hooks,
		quiesceTimeoutMs: outageLimitOf(target),
		schedule: schedule ?? defaults.schedule,
		scheduleFrom: schedule === undefined ? 'default' : 'label',
		...(scheduleCold === undefined ? {} : {scheduleCold}),
		notes: remarks.notes,
	};
	return {plan, problems: remarks.problems};
}

/** In a container that does not run there is nobody to tell. */
function planHooks(target: Target, remarks: Remarks): PlannedHook[] {
	return (['before', 'after'] as const).flatMap(when =>
		target.members.flatMap(({policy, container, replicas}) => {
			const hook = policy[when];
			if (hook !== undefined && replicas.length > 1) {
				remarks.note(`of its ${replicas.length} replicas, the hook \`${when}\` is run in container \`${container.name}\` alone`);
			}

			if (hook !== undefined && container.state !== 'running') {
				remarks.note(`the hook \`${when}\` is not run: container \`${container.name}\` is ${container.state}`);
			}

			return hook === undefined || container.state !== 'running' ? [] : [{container, hook, when}];
		}),
	);
}

/** Whether the server of each service can give what all of its sources need at once. */
function checkStrain(
	target: Target,
	answers: Answers,
	{sources, isMoment, remarks}: {sources: readonly PlannedSource[]; isMoment: boolean; remarks: Remarks},
): void {
	for (const member of target.members) {
		const about = remarks.about(subjectOf(target, member));
		for (const kind of kinds) {
			const own = sources.filter(source => source.kind === kind.kind && source.container.id === member.container.id);
			const {problem, note} = (own.length > 0 && kind.strain?.(own, answers.get(member.container.id)?.[kind.kind], {isMoment})) || {};
			if (problem !== undefined) {
				about.problem(problem.message, problem.hint);
			}

			if (note !== undefined) {
				about.note(note);
			}
		}
	}
}

function checkServices(
	target: Target,
	containers: readonly Container[],
	{prefix, self, remarks}: {prefix: string; self: string | undefined; remarks: Remarks},
): void {
	for (const member of target.members) {
		const {problem} = remarks.about(subjectOf(target, member));
		if (member.replicas.some(({id}) => id === self)) {
			problem('Holdfast cannot back up its own container', `remove \`${prefix}enable\` from it`);
		}

		for (const [label, services = []] of [
			['quiesce.with', member.policy.quiesceWith],
			['restore.stop', member.policy.restoreStop],
		] as const) {
			for (const service of services.filter(name => servicesOf(target, containers, name).length === 0)) {
				const where =
					target.project === undefined ? 'a container outside Compose has none' : `project \`${target.project}\` has no such service`;
				problem(`\`${prefix}${label}\` must name services of the same project, got ${quote(service)}: ${where}`);
			}
		}
	}
}
