/** What people are told that is not the end of a run: once, and once more when it is over. */
export interface Notice {
	kind: 'gone' | 'back' | 'shrunk' | 'kept' | 'resting' | 'missed';
	target: string;
	text: string;
	/** What to do. */
	hint?: string | undefined;
	/** Milliseconds since 1970. */
	at: number;
}

export interface Notices {
	send: (notice: Notice) => void;
	listen: (listener: (notice: Notice) => void) => void;
}

export function createNotices(): Notices {
	const listeners: Array<(notice: Notice) => void> = [];
	return {
		send(notice) {
			for (const listener of listeners) {
				listener(notice);
			}
		},
		listen(listener) {
			listeners.push(listener);
		},
	};
}
