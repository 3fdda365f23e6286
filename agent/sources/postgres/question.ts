import {parseSource} from '../../repository/names.ts';
import type {Member} from '../../targets/target.ts';

/** Of the databases of a point, the first that the label names; where it names none, the only one beside `postgres`. */
export function questioned({policy, prefix}: Member, databases: readonly string[]): string | undefined {
	const dumped = databases.filter(source => parseSource(source).prefix === prefix);
	const wanted = policy.postgres?.databases;
	if (Array.isArray(wanted)) {
		return dumped.find(source => parseSource(source).name === wanted[0]);
	}

	const own = dumped.filter(source => parseSource(source).name !== 'postgres');
	return own.length > 1 ? undefined : (own[0] ?? dumped[0]);
}
