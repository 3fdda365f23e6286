/** Who asked for what, and whether it was allowed: the words of the audit log. */

export type Decision = 'allowed' | 'refused';

export interface AuditEntry {
	/** `slack:<team>/<user>`. */
	who: string;
	/** From where: a channel, a modal, the home tab. */
	place: string;
	/** `restore`, `approve`, `undo`, … */
	action: string;
	/** A target or a run; '' where it concerns neither. */
	subject: string;
	decision: Decision;
	/** Why it was refused. */
	reason?: string | undefined;
	/** Of a button or a modal that may be used once. */
	reference?: string | undefined;
}

/** What came of something that was allowed. */
export interface AuditOutcome {
	/** The run that it began; its outcome becomes that of the entry. */
	run?: string | undefined;
	/** Where there is no run: `done`, or why it failed. */
	outcome?: string | undefined;
}

/** One row of `audit --json`, newest first. Runs that were asked for on the command line or over HTTP are among them. */
export interface AuditView {
	/** ISO 8601. */
	at: string;
	who: string;
	place: string;
	action: string;
	subject: string;
	decision: Decision;
	reason: string | null;
	run: string | null;
	outcome: string | null;
}

export interface Audit {
	/** On disk before it returns. Gives the entry's id; undefined, and nothing recorded, when the reference was used before. */
	record: (entry: AuditEntry) => number | undefined;
	complete: (id: number, outcome: AuditOutcome) => void;
	entries: (options?: {subject?: string | undefined; limit?: number | undefined}) => AuditView[];
}

/** What the bot must remember when it is started again, such as which message tells of which failure. */
export interface Notes {
	notes: () => Record<string, string>;
	/** `null` removes it. */
	saveNote: (key: string, note: string | null) => void;
}
