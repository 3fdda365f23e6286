/** Looking into points: what is asked and what is answered, as every door has it. */

/** Which point of a target is looked into, and where it is. */
interface Within {
	target: string;
	/** A point's id, `latest`, or a time. */
	point: string;
	/** `primary`, or a copy's name; without it the primary. */
	from?: string | undefined;
	/** The points that were filed under this host's name, or by the agent of this id; without it, this agent's own. */
	fromHost?: string | undefined;
}

export interface ListRequest extends Within {
	/** A source, or a path in the container; undefined: what the point holds. */
	path?: string | undefined;
	/** All that is below it. */
	recursive: boolean;
	/** How many entries are told at most. */
	limit: number;
}

/** Something that a point holds. */
export interface Entry {
	source: string;
	/** In the container; of a database, its source. As `dump` takes it. */
	path: string;
	/** `file`, `dir`, `symlink`, … */
	type: string;
	/** Bytes; of a source that is a tree, of all that is in it. */
	size: number;
	/** ISO 8601; null where the point does not say. */
	modified: string | null;
}

/** What `ls --json` prints. */
export interface Listing {
	target: string;
	point: string;
	/** The moment that it shows, ISO 8601. */
	time: string;
	entries: Entry[];
	/** How many more there are. */
	more: number;
}

export interface DumpRequest extends Within {
	/** A source, or a path in the container. */
	path: string;
}

export interface FindRequest {
	/** A name or a path in the container, with `*`, `?`, `[a-z]` and, for any number of folders, `**`. */
	pattern: string;
	ignoreCase: boolean;
	/** Undefined: all. */
	target?: string | undefined;
	from?: string | undefined;
	limit: number;
}

/** What one path was in some points: the same size, and the same time of its last change. */
export interface Version extends Entry {
	target: string;
	/** In how many points, and in which first and last. */
	points: number;
	oldest: {point: string; time: string};
	newest: {point: string; time: string};
}

/** What `find --json` prints: by path, the newest version first. */
export interface Found {
	found: Version[];
	/** There is more. */
	isCut: boolean;
}

export interface DiffRequest {
	/** Ids. */
	points: readonly [string, string];
	from?: string | undefined;
	/** How many entries of a source are told at most; all are counted. */
	limit: number;
}

/** What differs between two points of one source. */
export interface SourceDifference {
	source: string;
	/** Bytes; null where that point has no such source. */
	bytes: {from: number | null; to: number | null};
	added: number;
	removed: number;
	/** Their content, or what they are. */
	changed: number;
	/** The first of them. */
	entries: Array<{path: string; change: 'added' | 'removed' | 'changed'}>;
}

/** What `diff --json` prints. */
export interface Difference {
	from: {point: string; target: string; time: string};
	to: {point: string; target: string; time: string};
	sources: SourceDifference[];
}
