/**
 * What a staged dump says of its own database by name, where it is to be loaded under another one: the character set that routines were made with, and the sequences
 * that columns begin with. The names become blanks of the same length, in place, and so mean the database that is loaded into.
 */
import {type Place, succeed} from '../../../base/command.ts';
import {quoteIdentifier, quoteLiteral} from './client.ts';
import type {MariadbServer} from './server.ts';

/** In lines of their own: a row's begin with a bracket, and have no line breaks. */
const patterns = (name: string): string[] => {
	const quoted = `\\Q${quoteIdentifier(name).replaceAll('\\E', '\\E\\\\E\\Q')}\\E`;
	return [`^ALTER DATABASE \\K${quoted}(?= CHARACTER SET )`, `^  \`(?:[^\`]|\`\`)+\` .*?(?:nextval|lastval)\\(\\K${quoted}\\.`];
};

/** `sh -c SCRIPT sh FILE PATTERN…`: again and again, as a line may have several. */
const blank = `file=$1; shift
for pattern; do
	while :; do
		found=$(grep --text --perl-regexp --byte-offset --only-matching -e "$pattern" -- "$file")
		case $? in 0) ;; 1) break ;; *) exit 1 ;; esac
		printf '%s\\n' "$found" | while IFS=: read -r at name; do
			printf "%\${#name}s" '' | dd of="$file" bs=1 seek="$at" conv=notrunc status=none || exit
		done || exit
	done
done`;

export const blankNames = async (worker: Place, file: string, name: string, signal: AbortSignal): Promise<unknown> =>
	succeed(worker, {argv: ['sh', '-c', blank, 'sh', file, ...patterns(name)], env: {LC_ALL: 'C'}, signal});

/** Columns begin with sequences of the database that they were loaded into, whatever it is called by now. */
export async function nameSequences({query, flavour}: Pick<MariadbServer, 'query' | 'flavour'>, from: string, to: string): Promise<void> {
	const old = `${quoteIdentifier(from)}.`;
	const rows =
		flavour === 'mariadb' && from !== to
			? await query(
					`select table_name, column_name, column_default from information_schema.columns where table_schema = ${quoteLiteral(to)} and locate(${quoteLiteral(old)}, column_default) > 0`,
				)
			: [];
	if (rows.length > 0) {
		const alter = rows.map(
			([table = '', column = '', value = '']) =>
				`alter table ${quoteIdentifier(to)}.${quoteIdentifier(table)} alter column ${quoteIdentifier(column)} set default (${value.replaceAll(old, `${quoteIdentifier(to)}.`)})`,
		);
		await query(["/*M!100304 set session system_versioning_alter_history = 'KEEP' */", ...alter].join('; '));
	}
}
