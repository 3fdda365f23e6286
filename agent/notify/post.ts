/** A POST to an address that may be a secret: no error holds it. */

/** @throws when it was not taken: any answer but 2xx, a redirection too */
export async function post(url: string, sent: {body: string; headers: Record<string, string>; signal: AbortSignal}): Promise<void> {
	const answer = await fetch(url, {method: 'POST', redirect: 'manual', ...sent}).catch((error: unknown) => {
		// What fetch says may hold the address; its cause says what happened.
		sent.signal.throwIfAborted();
		throw new Error(`it cannot be reached: ${reasonOf(error)}`);
	});
	await answer.body?.cancel();
	if (!answer.ok) {
		throw new Error(`it answered ${answer.status}`);
	}
}

function reasonOf(error: unknown): string {
	const cause = error instanceof Error ? error.cause : undefined;
	return cause instanceof Error && 'code' in cause ? String(cause.code) : 'no connection';
}
