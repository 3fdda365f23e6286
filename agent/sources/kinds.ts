/** The table of kinds. To add one: a folder with an `index.ts`, and a line here. */
import {RunError} from '../../base/errors.ts';
import {parseSource} from '../repository/names.ts';
import type {Kind} from './kind.ts';
import {mariadb} from './mariadb/index.ts';
import {postgres} from './postgres/index.ts';
import {type Replaced, subjectOf} from './restoring.ts';
import {sqlite} from './sqlite/index.ts';
import {stream} from './stream/index.ts';
import {tar} from './tar/index.ts';
import {valkey} from './valkey/index.ts';
import {volume} from './volume/index.ts';

/** In the order in which a target's sources are listed. */
export const kinds: readonly Kind[] = [postgres, mariadb, valkey, stream, sqlite, volume, tar];

export const findKind = (kind: string): Kind | undefined => kinds.find(known => known.kind === kind);

/** Servers that can be dumped, by what they look like. */
export const knownServers = kinds.flatMap(({servers = []}) => servers);

/** The label that asks for it, without the prefix. */
export const askingLabel = ({kind, labels}: Kind): string => Object.keys(labels)[0] ?? `${kind}.NAME`;

/** @throws {RunError} */
export function kindOf(kind: string): Kind {
	const found = findKind(kind);
	if (found === undefined) {
		throw new RunError(newerHoldfast(kind), {hint: 'update Holdfast'});
	}

	return found;
}

export const newerHoldfast = (kind: string): string => `it is of the kind \`${kind}\`, which was made by a newer Holdfast`;

/** What a worker must be able to make that writes these sources: devices are only in trees of files. */
export const writingOf = (sources: readonly string[]): 'write' | 'write all' =>
	sources.some(source => findKind(parseSource(source).kind)?.isTree) ? 'write all' : 'write';

/** What was replaced, with the kind that knows how to put it back. @throws {RunError} where a newer Holdfast wrote it */
export function readReplaced(replacement: Replaced): {kind: Kind; old: Replaced} {
	const kind = kindOf(parseSource(replacement.source).kind);
	const {data: old, error} = kind.replaced.safeParse(replacement);
	if (old === undefined) {
		throw new RunError(`what was replaced of \`${replacement.source}\` cannot be read from the journal`, {
			cause: error,
			hint: 'update Holdfast',
		});
	}

	return {kind, old};
}

/** How a person finds what was replaced. Undefined where nothing was. */
export function describeReplaced(replacement: Replaced, runTarget: string): string | undefined {
	const source = subjectOf({target: replacement.target, name: replacement.source}, runTarget);
	const kind = findKind(parseSource(replacement.source).kind);
	const {data: old} = kind?.replaced.safeParse(replacement) ?? {};
	if (old === undefined) {
		return source;
	}

	const what = kind?.describe(old);
	return what === undefined ? undefined : `${source}: ${what}`;
}
