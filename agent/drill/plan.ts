/** A point and its target → what a drill restores, and what it asks of it. Pure. */

import {label} from '../../base/label.ts';
import {questionsOf} from '../plan/questions.ts';
import type {Manifest, ManifestSource} from '../repository/manifest.ts';
import {parseSource} from '../repository/names.ts';
import type {Point} from '../repository/points.ts';
import type {DrillSource} from '../sources/drilling.ts';
import {findKind, kinds, newerHoldfast} from '../sources/kinds.ts';
import {askedOf, type Member, type Target} from '../targets/target.ts';

export interface Rehearsal {
	target: string;
	point: Point;
	sources: readonly DrillSource[];
}

/** With any problem nothing is rehearsed. */
export function planDrill(target: Target, point: Point, manifest: Manifest): {rehearsal: Rehearsal; problems: readonly string[]} {
	const problems = target.problems.map(({message}) => message);
	const asked = questionsOf(
		target,
		manifest.sources.map(({source}) => source),
	);
	const questions = new Map(asked.map(({source, sql}) => [source, sql]));
	problems.push(
		...asked
			.filter(({source}) => source === undefined)
			.map(
				({member, labels}) =>
					`\`${label('drill.sql')}\` of \`${member.container.name}\` is about the first database that ${labels.map(name => `\`${label(name)}\``).join(' or ')} names, and point \`${point.id}\` does not have it`,
			),
		...target.members.filter(({policy}) => policy.drillImage === undefined).flatMap(imageProblems),
		...manifest.sources
			.filter(({kind}) => findKind(kind) === undefined)
			.map(({source, kind}) => `\`${source}\` cannot be rehearsed: ${newerHoldfast(kind)}`),
	);
	const sources = manifest.sources.map(stored => describe(target, stored, questions.get(stored.source)));
	return {rehearsal: {target: target.name, point, sources}, problems};
}

const imageProblems = (member: Member): string[] =>
	kinds.flatMap(kind => {
		const software = kind.elsewhere?.(askedOf(member, kind).policy);
		return software === undefined
			? []
			: `the server of \`${member.container.name}\` is elsewhere, so a rehearsal does not know what to make its own of: \`${label('drill.image')}\` must name an image with ${software} that the engine has`;
	});

/** The image is the one that a restore would meet now; where the service is gone, the one that was dumped. */
function describe(target: Target, stored: ManifestSource, drillSql: string | undefined): DrillSource {
	const {prefix, kind} = parseSource(stored.source);
	const member = target.members.find(candidate => candidate.prefix === prefix);
	const image = member?.policy.drillImage ?? member?.container.imageId ?? stored.container.imageId;
	return {name: stored.source, stored, image, policy: member && askedOf(member, {kind}).policy, drillSql};
}
