/**
 * What runs have in hand: containers that they quiesce, and storage. Who wants what another has waits for it, in the order of asking.
 * A run asks for all at once, and gives all back before it asks for something else: so nobody waits in a circle.
 */
import type {Mount} from '../../docker/container.ts';
import {isSameStorage, sharesStorage} from '../../docker/storage.ts';

/** `alone`: nobody else may so much as read it meanwhile. */
export type Touched = {alone: boolean} & ({container: string} | {mount: Mount});

export interface Holds {
	/**
	 * Waits until nobody who asked before has any of it, and keeps it from others until `release`.
	 * @param options.onWait called for each run that is waited for
	 * @returns whether it had to wait
	 * @throws the signal's reason
	 */
	take: (run: string, touched: readonly Touched[], options: {signal: AbortSignal; onWait: (run: string) => void}) => Promise<boolean>;
	/**
	 * Takes more beside what it has, gives nothing back and waits for nobody: who waits for it goes after it.
	 * @returns the run that has some of it in hand now: then nothing is taken
	 */
	more: (run: string, touched: readonly Touched[]) => string | undefined;
	release: (run: string) => void;
	/** The first run that has any of it, or waits for it. */
	holder: (touched: readonly Touched[]) => string | undefined;
}

interface Claim {
	run: string;
	touched: readonly Touched[];
	released: PromiseWithResolvers<void>;
}

export function createHolds(): Holds {
	/** In the order of asking. */
	const claims: Claim[] = [];
	const release = (run: string): void => {
		for (const {released} of claims.filter(claim => claim.run === run)) {
			released.resolve();
		}

		claims.splice(0, claims.length, ...claims.filter(claim => claim.run !== run));
	};

	const before = (mine: Claim): Claim | undefined => claims.slice(0, claims.indexOf(mine)).find(other => meet(other.touched, mine.touched));

	return {
		release,
		more(run, touched) {
			const other = claims.find(claim => claim.run !== run && before(claim) === undefined && meet(claim.touched, touched));
			if (other === undefined) {
				const held = claims.find(claim => claim.run === run) ?? {run, touched: [], released: Promise.withResolvers<void>()};
				// First of all: whoever waits for some of it sees it before itself.
				claims.splice(0, claims.length, {...held, touched: [...held.touched, ...touched]}, ...claims.filter(claim => claim !== held));
			}

			return other?.run;
		},
		holder: touched => claims.find(claim => meet(claim.touched, touched))?.run,
		async take(run, touched, {signal, onWait}) {
			signal.throwIfAborted();
			const held = claims.find(claim => claim.run === run);
			if (held !== undefined && touched.every(each => held.touched.some(known => covers(known, each)))) {
				return false;
			}

			release(run);
			const mine: Claim = {run, touched, released: Promise.withResolvers()};
			claims.push(mine);
			let hasWaited = false;
			for (let other = before(mine); other !== undefined; other = before(mine)) {
				hasWaited = true;
				onWait(other.run);
				try {
					await unlessAborted(other.released.promise, signal);
				} catch (error) {
					release(run);
					throw error;
				}
			}

			return hasWaited;
		},
	};
}

const meet = (some: readonly Touched[], others: readonly Touched[]): boolean =>
	some.some(one => others.some(other => (one.alone || other.alone) && isSame(one, other)));

function isSame(one: Touched, other: Touched): boolean {
	if ('container' in one) {
		return 'container' in other && one.container === other.container;
	}

	return 'mount' in other && sharesStorage(one.mount, other.mount);
}

const covers = (known: Touched, wanted: Touched): boolean =>
	(known.alone || !wanted.alone) &&
	('mount' in known && 'mount' in wanted ? isSameStorage(known.mount, wanted.mount) : isSame(known, wanted));

async function unlessAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
	const {promise: aborted, reject} = Promise.withResolvers<never>();
	const onAbort = () => reject(signal.reason);
	signal.addEventListener('abort', onAbort, {once: true});
	try {
		await Promise.race([promise, aborted]);
	} finally {
		signal.removeEventListener('abort', onAbort);
	}
}
