/** Points: what there are, whose they are, and which of them would go, as every door has it. */

/** One row of `prune --dry-run --json`: a target, and what of it would go now. */
export interface RetentionView {
	target: string;
	/** As in the label; null: everything is kept. */
	keep: string | null;
	/** Why nothing is removed for now. */
	held: string | null;
	/** Newest first. */
	points: Array<{point: string; time: string; bytes: number; action: 'keep' | 'remove'; why: string[]}>;
}

/** One row of `points --json`, newest first. */
export interface PointView {
	/** The id of the run that published it. */
	point: string;
	target: string;
	/** The name that the target had then, where it was another. */
	filedAs?: string;
	/** The moment that it shows, ISO 8601. */
	time: string;
	/** The host's name, and the id of the agent, that filed it; null: it was filed before agents had ids. */
	host: string;
	agent: string | null;
	/** This agent's: filed by itself, or taken over. Another's is restored only when it is named. */
	own: boolean;
	/** `isDatabase`: it is one, for whoever wants the databases only. */
	sources: Array<{source: string; snapshot: string; bytes: number; isDatabase?: true}>;
	/** When a drill last restored it whole, ISO 8601; null where none did. */
	verifiedAt: string | null;
}

/** One row of `points --foreign --json`: a snapshot that another program made. */
export interface ForeignView {
	/** Its id, whole. */
	snapshot: string;
	/** ISO 8601. */
	time: string;
	host: string;
	paths: string[];
	tags: string[];
	/** 0 where it was not recorded. */
	bytes: number;
}

/** What `adopt --json` and `move --json` print: whose points are this agent's, or the target's, from now on. */
export interface Taken {
	/** Of `adopt`: the ids of the agents; null: one that had none. Of `move`: the former names. */
	from: Array<string | null>;
	targets: string[];
	points: number;
}
