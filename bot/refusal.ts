/** Why Slack did not take something. */
export class SlackError extends Error {
	/** Slack's own word, `ratelimited`, or `unreachable`. */
	readonly code: string;
	readonly retryMs: number | undefined;

	constructor(method: string, code: string, {retryMs, cause}: {retryMs?: number | undefined; cause?: unknown} = {}) {
		super(`Slack did not take ${method}: ${code}`, {cause});
		this.name = 'SlackError';
		this.code = code;
		this.retryMs = retryMs;
	}
}
