/** What a restore may write: what its target may write itself; and more only where a person names it and acknowledges it. Pure. */
import {quote} from '../../../base/reading/quote.ts';
import type {Mount} from '../../../docker/container.ts';
import {describeStorage} from '../../../docker/storage.ts';
import {kindOf} from '../../sources/kinds.ts';
import {type Objection, objectionTo, readOnlyObjection} from '../../sources/objections.ts';
import type {RestoringSource} from '../../sources/restoring.ts';
import {askedOf, type Target} from '../../targets/target.ts';
import {memberOf} from './places.ts';
import type {Surroundings} from './stops.ts';

interface Asked extends Surroundings {
	/** The engine's own folder on the host. */
	dataRoot?: string;
	target: Target;
	/** What the person chose; empty: all of the point. */
	only: readonly string[];
}

export interface Reach {
	written: RestoringSource[];
	/** Why some of the point is left as it is. */
	warnings: string[];
	/** What must be acknowledged: that others' files are written. */
	acknowledge: string[];
	problems: string[];
}

/** @param sources that have a place */
export function withinReach(sources: readonly RestoringSource[], asked: Asked): Reach {
	const reach: Reach = {written: [], warnings: [], acknowledge: [], problems: []};
	for (const source of sources) {
		const {name, mount, container} = source;
		const objection = mount && objectionFor(mount, asked);
		if (objection === undefined || mount === undefined) {
			reach.written.push(source);
			continue;
		}

		const what = `the mount ${quote(mount.path)} of container \`${container.name}\` (${describeStorage(mount)}) ${objection.why}`;
		if (objection.kind === 'passed over' && isNamed(source, asked)) {
			reach.written.push(source);
			reach.acknowledge.push(`\`${name}\` is written all the same, because it is named: ${what}`);
		} else if (asked.only.length > 0) {
			reach.problems.push(`\`${name}\` is not written: ${what}`);
		} else {
			reach.warnings.push(
				`\`${name}\` is left as it is: ${what}${objection.kind === 'passed over' ? `; --only ${name} would write it` : ''}`,
			);
		}
	}

	if (sources.length > 0 && reach.written.length === 0 && reach.problems.length === 0) {
		reach.problems.push(...reach.warnings);
	}

	return reach;
}

function objectionFor(mount: Mount, {containers, self, dataRoot = '/var/lib/docker'}: Asked): Objection | undefined {
	const agent = containers.find(({id}) => id === self);
	// Data directories of servers are looked at where their databases are.
	return objectionTo(mount, {dataRoot, self: agent, claims: []}) ?? readOnlyObjection(mount);
}

/** By its label, which must name a SQLite database anyway; or by what the person chose. */
function isNamed(source: RestoringSource, {target, only}: Asked): boolean {
	const member = memberOf(target, source.name);
	const kind = kindOf(source.kind);
	const byLabel = member !== undefined && kind.names?.(askedOf(member, kind).policy, source);
	return byLabel === true || only.some(item => item === source.name || item.startsWith(`${source.name}/`));
}
