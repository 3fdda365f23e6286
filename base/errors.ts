/**
 * The errors that callers decide on. Everything else is a plain `Error` with a message that names the thing, the
 * rule and the value, and a `cause`.
 */

import type {Problem} from './problem.ts';

/** What every error of ours may carry: the next step for a person. Printed after the message. */
export interface Hint {
	hint?: string | undefined;
	cause?: unknown;
}

abstract class ErrorWithHint extends Error {
	readonly hint: string | undefined;

	constructor(message: string, {hint, cause}: Hint = {}) {
		super(message, cause === undefined ? undefined : {cause});
		this.name = this.constructor.name;
		this.hint = hint;
	}
}

/** The caller asked for something that cannot be: exit code 2, HTTP 400. */
export class UsageError extends ErrorWithHint {}

/** There is nothing to back up now, because somebody stopped what would have to answer: no failure, and nothing to tell each night. */
export class RestingError extends UsageError {}

/** What was named does not exist: exit code 2, HTTP 404. */
export class NotFoundError extends ErrorWithHint {}

/** The target is busy with another run: HTTP 409. */
export class BusyError extends ErrorWithHint {
	/** The run that it is busy with, where it is one. */
	readonly run: string | undefined;

	constructor(message: string, {run, ...hint}: Hint & {run?: string | undefined} = {}) {
		super(message, hint);
		this.run = run;
	}
}

/** A step failed for a reason that a person can mend. */
export class RunError extends ErrorWithHint {}

/** The moment could not be pinned because a paused writer holds a lock: resume, wait, try again. */
export class PinBlockedError extends ErrorWithHint {}

/** Somebody cancelled the run, or the agent is shutting down. */
export class CancelledError extends ErrorWithHint {}

/** A container could not be put back into the state that it had. The hint names the command to run by hand. */
export class ResumeError extends ErrorWithHint {}

export type RepositoryProblem = 'missing' | 'wrong-password' | 'locked' | 'full' | 'unreachable' | 'refused' | 'failed';

/** The repository refused. `problem` says which way, so that the message and the metric can differ. */
export class RepositoryError extends ErrorWithHint {
	readonly problem: RepositoryProblem;

	constructor(problem: RepositoryProblem, message: string, options: Hint = {}) {
		super(message, options);
		this.problem = problem;
	}
}

/** Why something with these mistakes is refused. There is at least one. */
export function refusedFor(problems: readonly Problem[]): UsageError {
	const hints = new Set(problems.flatMap(({hint}) => hint ?? []));
	return new UsageError(problems.map(({message}) => message).join('; '), hints.size === 0 ? {} : {hint: [...hints].join('; ')});
}

/** One line for people: the message, then each cause that adds something, then the hints: one for each of several errors. */
export function explain(error: unknown): string {
	const {message, hint} = explanation(error);
	return message + (hint === undefined ? '' : ` (${hint})`);
}

/** The two parts of that line. */
export function explanation(error: unknown): {message: string; hint: string | undefined} {
	const parts: string[] = [];
	const hints: string[] = [];
	const visit = (current: unknown, {isHinted}: {isHinted: boolean}): void => {
		if (current instanceof AggregateError) {
			if (current.message) {
				parts.push(current.message);
			}

			for (const inner of current.errors) {
				visit(inner, {isHinted});
			}

			return;
		}

		if (!(current instanceof Error)) {
			parts.push(String(current));
			return;
		}

		parts.push(current.message);
		const hint = current instanceof ErrorWithHint && !isHinted ? current.hint : undefined;
		if (hint !== undefined) {
			hints.push(hint);
		}

		if (current.cause !== undefined) {
			visit(current.cause, {isHinted: isHinted || hint !== undefined});
		}
	};

	visit(error, {isHinted: false});
	const distinct = parts.filter((part, index) => part !== '' && !parts.slice(0, index).some(earlier => earlier.includes(part)));
	return {message: distinct.join(': '), hint: hints.length > 0 ? [...new Set(hints)].join('; ') : undefined};
}
