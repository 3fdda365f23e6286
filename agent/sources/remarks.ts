/** What is found while a plan is made: mistakes that forbid the run, and what a person should know. */
import type {Problem} from '../../base/problem.ts';

/** What cannot be backed up as things are, although nothing is wrong with its labels: its server was stopped. */
export interface Absent {
	/** A source; or where it is not known which ones there would be, what all of their names begin with. */
	source: string;
	/** Whom it concerns, and why: for people. */
	why: string;
	/** How it is in the next point again. */
	hint: string;
}

export interface Remarks {
	readonly problems: readonly Problem[];
	readonly notes: readonly string[];
	readonly absent: readonly Absent[];
	/** The sources are not in the next point. */
	lack: (sources: readonly string[], why: string, hint: string) => void;
	/** Files that are asked for and may not be had. What becomes of it `settle` decides. */
	object: (source: string, why: string, hint: string) => void;
	/** What a label names by its path, and is not there as it must be. What becomes of it `settle` decides. */
	miss: (source: string, why: string, hint: string) => void;
	/** Absent is what was objected to beside a dump, and what was missed beside any source; else it is a problem. */
	settle: (plan: {hasSource: boolean; hasDump: boolean}) => void;
	problem: (message: string, hint?: string) => void;
	note: (message: string) => void;
	/** The same, with every message about one subject. */
	about: (subject: string) => Pick<Remarks, 'problem' | 'note' | 'lack' | 'object' | 'miss'>;
}

/** A remark that is made twice counts once. */
export function collectRemarks(): Remarks {
	const problems: Problem[] = [];
	const notes: string[] = [];
	const absent: Absent[] = [];
	const objections: Array<Absent & {subject: string; isMissed: boolean}> = [];
	const lack = (sources: readonly string[], why: string, hint: string): void => {
		absent.push(...sources.map(source => ({source, why, hint})));
	};

	const problem = (message: string, hint?: string): void => {
		if (!problems.some(known => known.message === message)) {
			problems.push(hint === undefined ? {message} : {message, hint});
		}
	};

	const note = (message: string): void => {
		if (!notes.includes(message)) {
			notes.push(message);
		}
	};

	return {
		problems,
		notes,
		absent,
		problem,
		note,
		lack,
		object: (source, why, hint) => objections.push({source, why, hint, subject: source, isMissed: false}),
		miss: (source, why, hint) => objections.push({source, why, hint, subject: source, isMissed: true}),
		settle({hasSource, hasDump}) {
			for (const {subject, source, why, hint, isMissed} of objections.splice(0)) {
				if (isMissed ? hasSource : hasDump) {
					lack([source], why, hint);
				} else {
					problem(`\`${subject}\`: ${why}`, hint);
				}
			}
		},
		about: subject => ({
			problem: (message, hint) => problem(`\`${subject}\`: ${message}`, hint),
			note: message => note(`\`${subject}\`: ${message}`),
			lack,
			object: (source, why, hint) => objections.push({source, why, hint, subject, isMissed: false}),
			miss: (source, why, hint) => objections.push({source, why, hint, subject, isMissed: true}),
		}),
	};
}
