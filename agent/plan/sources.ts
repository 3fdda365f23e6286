/** The sources of a target: what its labels name, or what they leave to the default. */

import {quote} from '../../base/reading/quote.ts';
import {describeMounts} from '../../docker/storage.ts';
import type {Kind} from '../sources/kind.ts';
import {askingLabel, kindOf, kinds} from '../sources/kinds.ts';
import type {Grounds} from '../sources/objections.ts';
import type {Remarks} from '../sources/remarks.ts';
import type {PlannedSource} from '../sources/source.ts';
import {askedOf, type Member, subjectOf} from '../targets/target.ts';
import type {PlanRequest} from './planned.ts';

type Request = Required<Pick<PlanRequest, 'target' | 'answers' | 'prefix' | 'defaults'>>;

export function planSources(request: Request, grounds: Omit<Grounds, 'claims'>, remarks: Remarks): PlannedSource[] {
	const {members} = request.target;
	const claims = members.flatMap(member =>
		kinds.flatMap(kind => kind.claims?.(askedOf(member, kind), answerOf(request, member, kind)) ?? []),
	);
	const sources = members.flatMap(member => sourcesOf(request, member, {...grounds, claims}, remarks));
	return withoutRepeats(sources, remarks);
}

const answerOf = ({answers}: Request, {container}: Member, {kind}: Kind): unknown => answers.get(container.id)?.[kind];

function sourcesOf(request: Request, member: Member, grounds: Grounds, all: Remarks): PlannedSource[] {
	const {
		target,
		prefix,
		defaults: {lockTimeoutMs},
	} = request;
	const {
		container,
		replicas,
		prefix: group,
		policy: {drillImage},
	} = member;
	let isObjected = false;
	const about = all.about(subjectOf(target, member));
	const remarks: typeof about = {
		...about,
		object(...objection) {
			isObjected = true;
			about.object(...objection);
		},
	};
	const choosesMounts = kinds.some(kind => kind.choosesMounts?.(askedOf(member, kind).policy));
	const asking = kinds.filter(kind => kind.asks(askedOf(member, kind).policy));
	const sources = kinds.flatMap(kind => {
		const asked = askedOf(member, kind);
		if (drillImage === undefined && kind.elsewhere?.(asked.policy) !== undefined) {
			remarks.note(`no rehearsal is scheduled: \`${prefix}drill.image\` names no image that a server could be made of`);
		}

		const hasOthers = asking.some(other => other !== kind);
		return kind.plan({
			...asked,
			answer: answerOf(request, member, kind),
			group,
			prefix,
			hasOthers,
			choosesMounts,
			lockTimeoutMs,
			grounds,
			remarks,
		});
	});
	if (sources.length === 0 && asking.length === 0 && !isObjected && target.problems.length === 0) {
		const labels = kinds.map(kind => `\`${prefix}${askingLabel(kind)}\``);
		remarks.problem(
			`there is nothing to back up: ${describeMounts(container)}`,
			`name a source with ${labels.join(', ')}, or remove \`${prefix}enable\``,
		);
	}

	if (replicas.length > 1) {
		remarks.note(`of its ${replicas.length} replicas, container \`${container.name}\` is backed up`);
	}

	return sources;
}

/** One storage that several members mount is one source. */
function withoutRepeats(sources: readonly PlannedSource[], remarks: Remarks): PlannedSource[] {
	const kept: PlannedSource[] = [];
	for (const source of sources) {
		const same = kept.find(earlier => isRepeat(earlier, source));
		if (kept.some(({name}) => name === source.name)) {
			remarks.problem(`the source ${quote(source.name)} is named twice`);
		} else if (same === undefined) {
			kept.push(source);
		} else {
			remarks.note(`${quote(source.name)} is the same storage as ${quote(same.name)}, and is backed up once`);
		}
	}

	return kept;
}

const isRepeat = (a: PlannedSource, b: PlannedSource): boolean => a.kind === b.kind && kindOf(a.kind).isRepeat?.(a, b) === true;
