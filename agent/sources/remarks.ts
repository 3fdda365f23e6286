/** What is found while a plan is made: mistakes that forbid the run, and what a person should know. */
import type {Problem} from '../../base/problem.ts';

export interface Remarks {
	readonly problems: readonly Problem[];
	readonly notes: readonly string[];
	problem: (message: string, hint?: string) => void;
	note: (message: string) => void;
	/** The same, with every message about one subject. */
	about: (subject: string) => Pick<Remarks, 'problem' | 'note'>;
}

/** A remark that is made twice counts once. */
export function collectRemarks(): Remarks {
	const problems: Problem[] = [];
	const notes: string[] = [];
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
		problem,
		note,
		about: subject => ({
			problem: (message, hint) => problem(`\`${subject}\`: ${message}`, hint),
			note: message => note(`\`${subject}\`: ${message}`),
		}),
	};
}
