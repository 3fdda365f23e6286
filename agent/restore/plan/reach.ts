/** What a restore may write: what its target may write itself; and more only where a person names it and acknowledges it. Pure. */
import {quote} from '../../../base/reading/quote.ts';
import type {Container, Mount} from '../../../docker/container.ts';
import {describeStorage, inside, overlap} from '../../../docker/storage.ts';
import {kindOf} from '../../sources/kinds.ts';
import {type Objection, objectionTo, ownIn, readOnlyObjection, whyOwn} from '../../sources/objections.ts';
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
	const agent = agentOf(asked);
	const write = (source: RestoringSource) => {
		const touched = touchedOwn(source, agent);
		reach.written.push(sparing(source, agent));
		if (touched !== undefined) {
			reach.problems.push(
				`\`${source.name}\`: ${quote(touched)} is ${whyOwn}, and no restore touches it: name paths beside it with --only`,
			);
		}
	};

	for (const source of sources) {
		const {name, mount, container} = source;
		const objection = mount && objectionFor(mount, asked);
		if (objection === undefined || mount === undefined) {
			write(source);
			continue;
		}

		const what = `the mount ${quote(mount.path)} of container \`${container.name}\` (${describeStorage(mount)}) ${objection.why}`;
		if (objection.kind === 'passed over' && isNamed(source, asked)) {
			write(source);
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

const agentOf = ({containers, self}: Surroundings): Container | undefined => containers.find(({id}) => id === self);

/** Holdfast's own folders may have come into the mount since the point was made. */
function sparing(source: RestoringSource, agent: Container | undefined): RestoringSource {
	const own = source.mount === undefined ? [] : (ownIn(source.mount, agent) ?? []);
	return own.length === 0 ? source : {...source, ...kindOf(source.kind).spare?.(source, own)};
}

/** What is Holdfast's own of the single files and folders, or the file, that would be written; in the container. */
function touchedOwn({kind, mount, paths, ...source}: RestoringSource, agent: Container | undefined): string | undefined {
	const own = mount === undefined ? [] : (ownIn(mount, agent) ?? []).map(path => inside(mount.path, path));
	const {path: file} = kindOf(kind).isTree ? {} : kindOf(kind).view({kind, ...(mount && {mount}), ...source});
	const written = [...(paths ?? []).map(path => inside(mount?.path ?? '', path)), ...(file === undefined ? [] : [file])];
	return own.find(folder => written.some(path => overlap(path, folder)));
}

function objectionFor(mount: Mount, {dataRoot = '/var/lib/docker', ...surroundings}: Asked): Objection | undefined {
	// Data directories of servers are looked at where their databases are.
	return objectionTo(mount, {dataRoot, self: agentOf(surroundings), claims: []}) ?? readOnlyObjection(mount);
}

/** By its label, which must name a SQLite database anyway; or by what the person chose. */
function isNamed(source: RestoringSource, {target, only}: Asked): boolean {
	const member = memberOf(target, source.name);
	const kind = kindOf(source.kind);
	const byLabel = member !== undefined && kind.names?.(askedOf(member, kind).policy, source);
	return byLabel === true || only.some(item => item === source.name || item.startsWith(`${source.name}/`));
}
