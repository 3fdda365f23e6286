/** What a run says is told as often as a listener can bear: progress now and then, and a warning once. */
import type {RunEvent, Tell, Told} from '../../base/events.ts';

/** Progress is told this often for each source of a run. */
const progressIntervalMs = 500;

/** Different ones that are remembered of a run, so that they are not told twice. */
const mostWarnings = 1000;

interface Telling {
	run: string;
	target: string;
	send: (event: RunEvent) => void;
}

export function createTeller({run, target, send}: Telling): Tell {
	const told = new Map<string, number>();
	const warnings = new Map<string, number>();

	/** What is said once more is counted, and said again only at the end, with how often it was. */
	const isNew = (message: string): boolean => {
		const count = (warnings.get(message) ?? 0) + 1;
		if (warnings.size >= mostWarnings) {
			warnings.clear();
		}

		warnings.set(message, count);
		return count === 1;
	};

	const isDue = (source: string, at: number): boolean => {
		if (at - (told.get(source) ?? 0) < progressIntervalMs) {
			return false;
		}

		told.set(source, at);
		return true;
	};

	return (event: Told) => {
		const at = Date.now();
		if ((event.type === 'warning' && !isNew(event.message)) || (event.type === 'progress' && !isDue(event.source, at))) {
			return;
		}

		if (event.type === 'finished') {
			for (const [message, count] of [...warnings].filter(([, times]) => times > 1)) {
				send({type: 'warning', message: `${count} times: ${message}`, run, target, at});
			}
		}

		send({...event, run, target, at} as RunEvent);
	};
}
