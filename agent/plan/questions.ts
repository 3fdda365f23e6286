/** Which database the label `drill.sql` is about. Pure. */
import {parseSource} from '../repository/names.ts';
import {askingLabel, kinds} from '../sources/kinds.ts';
import {askedOf, type Member, type Target} from '../targets/target.ts';

export interface Question {
	member: Member;
	sql: string;
	/** Undefined: none of the sources is meant. */
	source: string | undefined;
	/** The labels, without the prefix, that name what can be asked. */
	labels: readonly string[];
}

/** One for each service that has the label. @param sources by their names */
export const questionsOf = ({members}: Target, sources: readonly string[]): Question[] =>
	members.flatMap(member => {
		const {drillSql: sql} = member.policy;
		return sql === undefined ? [] : [{member, sql, source: questioned(member, sources), labels: labelsOf(member)}];
	});

const askable = kinds.filter(({questioned}) => questioned !== undefined);

function questioned(member: Member, sources: readonly string[]): string | undefined {
	for (const kind of askable) {
		const own = sources.filter(source => {
			const {prefix, kind: name} = parseSource(source);
			return prefix === member.prefix && name === kind.kind;
		});
		const found = kind.questioned?.(askedOf(member, kind).policy, own);
		if (found !== undefined) {
			return found;
		}
	}

	return undefined;
}

function labelsOf(member: Member): string[] {
	const asked = askable.filter(kind => kind.asks(askedOf(member, kind).policy));
	return (asked.length === 0 ? askable : asked).map(askingLabel);
}
