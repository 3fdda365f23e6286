/** Where a source of a point belongs now; or why it belongs nowhere. Pure. */

import {mountOf} from '../../../docker/storage.ts';
import type {ManifestSource} from '../../repository/manifest.ts';
import {parseSource} from '../../repository/names.ts';
import type {PlannedSource} from '../../sources/kind.ts';
import {externalOf, insideOf} from '../../sources/postgres/plan-external.ts';
import type {Member, Target} from '../../targets/target.ts';

/** A source of another target: where the same kind and name belongs here, in the service of the same name if there is one. */
export function placeOfForeign(target: Target, stored: ManifestSource): PlannedSource | string {
	const {prefix, name} = parseSource(stored.source);
	const found = target.members.flatMap(member => {
		const here = placeOf(target, {...stored, source: `${member.prefix}${stored.kind}:${name}`});
		return typeof here === 'string' || !isWanted(member, stored.kind) ? [] : [{prefix: member.prefix, here}];
	});
	const place = found.length > 1 ? found.find(one => one.prefix === prefix) : found[0];
	return (
		place?.here ??
		`\`${stored.source}\`: target \`${target.name}\` has ${found.length === 0 ? 'no' : 'more than one'} place for \`${stored.kind}:${name}\``
	);
}

/** Any container could take a path or a database; only those whose labels say so are meant. */
function isWanted({policy}: Member, kind: ManifestSource['kind']): boolean {
	switch (kind) {
		case 'postgres':
			return policy.postgres !== undefined;
		case 'tar':
			return policy.tar.length > 0;
		default:
			return true;
	}
}

/** The service that a source is named after. */
export const memberOf = ({members}: Target, source: string): Member | undefined =>
	members.find(({prefix}) => prefix === parseSource(source).prefix);

export function placeOf(
	target: Target,
	{source: name, kind, details}: Pick<ManifestSource, 'source' | 'kind' | 'details'>,
): PlannedSource | string {
	const {prefix, name: subject} = parseSource(name);
	const member = memberOf(target, name);
	if (member === undefined) {
		return `\`${name}\`: target \`${target.name}\` has no service \`${prefix.replace(/\/$/, '')}\``;
	}

	const {container, policy} = member;
	switch (kind) {
		case 'postgres': {
			const format = details.format === 'plain' ? 'plain' : 'custom';
			const external = externalOf(policy.postgres, container);
			const inside = policy.postgres && insideOf(policy.postgres, container);
			return {
				name,
				container,
				kind,
				database: subject,
				format,
				user: policy.postgres?.user,
				...(external ? {external} : inside && {inside}),
			};
		}

		case 'sqlite': {
			const mount = mountOf(subject, container);
			return mount === undefined
				? `\`${name}\`: container \`${container.name}\` has no mount that holds ${subject}`
				: {name, container, kind, path: subject, mount};
		}

		case 'volume': {
			const mount = container.mounts.find(({path}) => path === subject);
			const exclude = Array.isArray(details.exclude) ? details.exclude.map(String) : [];
			return mount === undefined
				? `\`${name}\`: container \`${container.name}\` has no mount at ${subject}`
				: {name, container, kind, mount, exclude};
		}

		case 'tar':
			return {name, container, kind, path: subject};
	}
}
