/** Where a source of a point belongs now; or why it belongs nowhere. Pure. */

import type {ManifestSource} from '../../repository/manifest.ts';
import {parseSource} from '../../repository/names.ts';
import {findKind, newerHoldfast} from '../../sources/kinds.ts';
import type {PlannedSource} from '../../sources/source.ts';
import {askedOf, type Member, type Target} from '../../targets/target.ts';

type Stored = Pick<ManifestSource, 'source' | 'details'>;

/** The service that a source was of: a group's sources say it, else the target is called by it. */
export const serviceOf = (source: string, filedAs: string): string =>
	parseSource(source).prefix.replace(/\/$/, '') || filedAs.slice(filedAs.indexOf('/') + 1);

/** A source of another target: where the same kind and name belongs here, in the service of the same name if there is one. @param filedAs the target whose it was */
export function placeOfForeign(target: Target, {source, details}: Stored, filedAs: string): PlannedSource | string {
	const {kind, name} = parseSource(source);
	if (findKind(kind) === undefined) {
		return `\`${source}\`: ${newerHoldfast(kind)}`;
	}

	const found = target.members.flatMap(member => {
		const here = placeIn(member, {source: `${member.prefix}${kind}:${name}`, details}, {isForeign: true});
		return typeof here === 'string' ? [] : [{service: member.service, here}];
	});
	const place = found.length > 1 ? found.find(one => one.service === serviceOf(source, filedAs)) : found[0];
	return (
		place?.here ??
		`\`${source}\`: target \`${target.name}\` has ${found.length === 0 ? 'no' : 'more than one'} place for \`${kind}:${name}\``
	);
}

/** The service that a source is named after. */
export const memberOf = ({members}: Target, source: string): Member | undefined =>
	members.find(({prefix}) => prefix === parseSource(source).prefix);

export function placeOf(target: Target, stored: Stored): PlannedSource | string {
	const {source} = stored;
	const member = memberOf(target, source);
	return member === undefined
		? `\`${source}\`: target \`${target.name}\` has no service \`${parseSource(source).prefix.replace(/\/$/, '')}\``
		: placeIn(member, stored, {isForeign: false});
}

function placeIn(member: Member, {source, details}: Stored, {isForeign}: {isForeign: boolean}): PlannedSource | string {
	const {kind: name, name: subject} = parseSource(source);
	const kind = findKind(name);
	return kind?.place({source, name: subject, details}, {...askedOf(member, kind), isForeign}) ?? `\`${source}\`: ${newerHoldfast(name)}`;
}
