import {createListeners, type Listeners} from './listeners.ts';

/** What people are told that is not the end of a run: once, and once more when it is over. */
export interface Notice {
	kind: 'gone' | 'back' | 'shrunk' | 'kept' | 'resting' | 'missed' | 'left';
	target: string;
	text: string;
	/** What to do. */
	hint?: string | undefined;
	/** Milliseconds since 1970. */
	at: number;
}

export type Notices = Listeners<Notice>;

/** @param report hears what a listener throws: whatever becomes of what is told, who tells it goes on */
export const createNotices = (report: (error: unknown) => void): Notices => createListeners(report);
