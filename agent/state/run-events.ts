/** What runs tell while they are under way. Part of the state database. */
import type {DatabaseSync} from 'node:sqlite';
import type {RunEvent} from '../../base/events.ts';
import {unlessUnwritable} from './unwritten.ts';

export interface EventStore {
	/** Of the progress of a source, only the latest is kept; nothing of what cannot be written: who listens has heard it. */
	appendEvent: (event: RunEvent) => void;
	events: (run: string) => RunEvent[];
}

export function openEvents(database: DatabaseSync): EventStore {
	const insert = database.prepare('insert into events (run, type, subject, event) values (?, ?, ?, ?)');
	const replace = database.prepare("update events set event = ? where run = ? and type = 'progress' and subject = ?");
	const ofRun = database.prepare('select event from events where run = ? order by id');
	return {
		appendEvent(event) {
			const text = JSON.stringify(event);
			const subject = event.type === 'progress' ? event.source : null;
			unlessUnwritable(() => {
				const replaced = subject !== null && Number(replace.run(text, event.run, subject).changes) > 0;
				if (!replaced) {
					insert.run(event.run, event.type, subject, text);
				}
			});
		},
		events: run => ofRun.all(run).map(({event}) => JSON.parse(String(event)) as RunEvent),
	};
}
