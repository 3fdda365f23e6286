import {parseSource} from '../../repository/names.ts';
import type {PostgresPolicy} from './labels.ts';

/** Of a service's databases in a point, the first that the label names; where it names none, the only one beside `postgres`. */
export function questioned(policy: PostgresPolicy | undefined, databases: readonly string[]): string | undefined {
	const wanted = policy?.databases;
	if (Array.isArray(wanted)) {
		return databases.find(source => parseSource(source).name === wanted[0]);
	}

	const own = databases.filter(source => parseSource(source).name !== 'postgres');
	return own.length > 1 ? undefined : (own[0] ?? databases[0]);
}
