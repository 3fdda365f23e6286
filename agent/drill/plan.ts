/** A point and its target → what a drill restores, and what it asks of it. Pure. */

import {label} from '../../base/label.ts';
import type {Manifest, ManifestSource} from '../repository/manifest.ts';
import {parseSource} from '../repository/names.ts';
import type {Point} from '../repository/points.ts';
import type {DrillSource} from '../sources/drilling.ts';
import {questioned} from '../sources/postgres/question.ts';
import type {Target} from '../targets/target.ts';

export interface Rehearsal {
	target: string;
	point: Point;
	sources: readonly DrillSource[];
}

/** With any problem nothing is rehearsed. */
export function planDrill(target: Target, point: Point, manifest: Manifest): {rehearsal: Rehearsal; problems: readonly string[]} {
	const problems = target.problems.map(({message}) => message);
	const questions = new Map<string, string>();
	for (const member of target.members) {
		const {drillSql} = member.policy;
		const databases = manifest.sources.filter(({kind}) => kind === 'postgres').map(({source}) => source);
		const asked = drillSql === undefined ? undefined : questioned(member, databases);
		if (drillSql !== undefined && asked !== undefined) {
			questions.set(asked, drillSql);
		} else if (drillSql !== undefined) {
			problems.push(
				`\`${label('drill.sql')}\` of \`${member.container.name}\` is about the first database that \`${label('postgres')}\` names, and point \`${point.id}\` does not have it`,
			);
		}
	}

	for (const {container, policy} of target.members) {
		if (policy.postgres?.host !== undefined && policy.drillImage === undefined) {
			problems.push(
				`the server of \`${container.name}\` is elsewhere, so a rehearsal does not know what to make its own of: \`${label('drill.image')}\` must name an image with PostgreSQL that the engine has`,
			);
		}
	}

	const sources = manifest.sources.map(stored => describe(target, stored, questions.get(stored.source)));
	return {rehearsal: {target: target.name, point, sources}, problems};
}

/** The image is the one that a restore would meet now; where the service is gone, the one that was dumped. */
function describe(target: Target, stored: ManifestSource, drillSql: string | undefined): DrillSource {
	const member = target.members.find(({prefix}) => prefix === parseSource(stored.source).prefix);
	const {restoreBeforeSql: beforeSql, restoreAfterSql: afterSql} = member?.policy.postgres ?? {};
	const image = member?.policy.drillImage ?? member?.container.imageId ?? stored.container.imageId;
	return {name: stored.source, stored, image, beforeSql, afterSql, drillSql};
}
