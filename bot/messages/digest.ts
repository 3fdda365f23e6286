import {context, header, type Message, message, section} from '../blocks.ts';
import {type Overview, standing} from '../overview.ts';
import {codeBlock, date} from '../text.ts';
import {rowText, summary} from './overview.ts';

const mostRows = 30;

/** Once a day, for those who want it: how many are good, and which are not. */
export function digestMessage({rows, troubles}: Overview, now: number): Message {
	const bad = rows.filter(row => ['failed', 'partial', 'never'].includes(standing(row)));
	return message(`Backups today: ${summary(rows)}`, [
		header('Backups today'),
		section(summary(rows)),
		...troubles.slice(0, 5).map(trouble => section(`⚠️ ${codeBlock(trouble, 1000)}`)),
		...bad.slice(0, mostRows).map(row => section(rowText(row, now))),
		...(bad.length > mostRows ? [context(`… and ${bad.length - mostRows} more`)] : []),
		context(`as of ${date(now)} · \`/backup\` shows all`),
	]);
}
