/** The words of the exit code; part of the contract. */
import {NotFoundError, UsageError} from '../../base/errors.ts';
import type {Outcome} from '../../base/results.ts';
export const exit = {done: 0, failed: 1, usage: 2, partial: 3, interrupted: 130} as const;

export type ExitCode = (typeof exit)[keyof typeof exit];

export const exitOfError = (error: unknown): ExitCode =>
	error instanceof UsageError || error instanceof NotFoundError ? exit.usage : exit.failed;

/** The worst of all: failed, then partial, then success. */
export function exitOfOutcomes(outcomes: readonly Outcome[]): ExitCode {
	if (outcomes.includes('failed')) {
		return exit.failed;
	}

	return outcomes.includes('partial') ? exit.partial : exit.done;
}
