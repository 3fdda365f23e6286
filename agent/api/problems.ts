/** Errors → what HTTP says of them. */
import {HTTPException} from 'hono/http-exception';
import {BusyError, CancelledError, explain, NotFoundError, RepositoryError, RunError, UsageError} from '../../base/errors.ts';
import type {ErrorBody} from './wire.ts';

export type ErrorStatus = 400 | 404 | 409 | 413 | 500 | 502 | 503;

/** `unexpected`: nobody foresaw this one; it belongs in the log. */
export interface HttpProblem {
	status: ErrorStatus;
	body: ErrorBody;
	unexpected: boolean;
}

export function httpProblem(error: unknown): HttpProblem {
	const status = statusOf(error);
	return {status, body: bodyOf(error), unexpected: status === 500 && !(error instanceof RunError)};
}

function statusOf(error: unknown): ErrorStatus {
	if (error instanceof UsageError) {
		return 400;
	}

	if (error instanceof NotFoundError) {
		return 404;
	}

	if (error instanceof BusyError) {
		return 409;
	}

	if (error instanceof RepositoryError) {
		return error.problem === 'locked' || error.problem === 'unreachable' ? 503 : 502;
	}

	if (error instanceof HTTPException && error.status === 413) {
		return 413;
	}

	// Also what a closing agent answers to a new run.
	return error instanceof CancelledError ? 503 : 500;
}

function bodyOf(error: unknown): ErrorBody {
	const text = explain(error);
	const hint = error instanceof Error && 'hint' in error && typeof error.hint === 'string' ? error.hint : undefined;
	const suffix = hint ? ` (${hint})` : '';
	return {
		error: suffix && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text,
		...(hint ? {hint} : {}),
		...(error instanceof RepositoryError ? {problem: error.problem} : {}),
	};
}
