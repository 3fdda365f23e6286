/** Who listens hears all; and whatever becomes of one that hears it, the others hear it too, and whoever tells goes on. */

export interface Listeners<Told> {
	send: (told: Told) => void;
	/** Gives what ends it. */
	listen: (listener: (told: Told) => void) => () => void;
}

export function createListeners<Told>(report: (error: unknown) => void): Listeners<Told> {
	const listeners = new Set<(told: Told) => void>();
	return {
		send(told) {
			for (const listener of listeners) {
				try {
					listener(told);
				} catch (error) {
					report(error);
				}
			}
		},
		listen(listener) {
			listeners.add(listener);
			return () => void listeners.delete(listener);
		},
	};
}
