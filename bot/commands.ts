/** `/backup` and `/restore`: what was typed, obeyed. */
import type {Origin} from './deliveries.ts';
import {answer, answering} from './desk.ts';
import {showDoctor, showExport, showHistory, showOverview, showPoints} from './lists.ts';
import {helpMessage, notice} from './messages/lists.ts';
import {backUp, backUpAll, cancel, check, drill} from './operate.ts';
import type {Ordered} from './ordering.ts';
import {referenceOfCommand} from './references.ts';
import {openRestore} from './restoring.ts';
import {code} from './text.ts';
import {parseBackup, parseRestore, type Spoken} from './words.ts';

export async function obeyCommand(parts: Ordered, {command, text}: {command: string; text: string}, origin: Origin): Promise<void> {
	const spoken = command === '/restore' ? parseRestore(text) : parseBackup(text);
	await answering(parts.desk, origin, 'Not done', async () => obey(parts, spoken, origin));
}

async function obey({desk, ordering}: Ordered, spoken: Spoken, origin: Origin): Promise<void> {
	const {fleet} = desk;
	const reference = referenceOfCommand(origin);
	switch (spoken.verb) {
		case 'unknown':
			return answer(desk, origin, notice('🤔', code(spoken.complaint, 500)));
		case 'help':
			return answer(desk, origin, helpMessage());
		case 'overview':
			return showOverview(desk, origin, 0);
		case 'doctor':
			return showDoctor(desk, origin);
		case 'points':
			return showPoints(desk, origin, await fleet.find(spoken.target));
		case 'history':
			return showHistory(desk, origin, spoken.target === undefined ? undefined : await fleet.find(spoken.target));
		case 'export':
			return showExport(desk, origin, await fleet.find(spoken.target));
		case 'now':
			return spoken.target === 'all' ? backUpAll(desk, origin) : backUp(desk, origin, await fleet.find(spoken.target), reference);
		case 'drill':
			return drill(desk, origin, await fleet.find(spoken.target), reference);
		case 'check':
			return check(desk, origin);
		case 'cancel':
			return cancel(desk, origin, spoken.run, reference);
		case 'undo':
		case 'finish':
			await ordering.settle(origin, spoken.verb, spoken.run, reference);
			return;
		case 'restore': {
			const {target, point} = spoken;
			return openRestore(desk, origin, async () => (target === undefined ? undefined : fleet.find(target)), point);
		}
	}
}
