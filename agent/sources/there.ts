/** Whether what a label names is there, as the engine sees it: for a plan, before a backup would meet it. */
import type {Engine} from '../../docker/engine.ts';
import {statusOf} from '../../docker/refusal.ts';

/** A path that a label names, and that cannot be backed up as it is. */
export interface Amiss {
	path: string;
	/** Completes "…, which …". */
	why: string;
	hint: string;
}

export type Seen = Awaited<ReturnType<Engine['stat']>>;

/** Null: there is nothing. Undefined: it could not be seen, which says nothing. The last part of the path is not followed. */
export const whatIsAt = async (engine: Pick<Engine, 'stat'>, id: string, path: string): Promise<Seen | null | undefined> =>
	engine.stat(id, path).catch((error: unknown) => (statusOf(error) === 404 ? null : undefined));
