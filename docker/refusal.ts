/** What the engine refuses with. */

/** The HTTP status that the engine refused with. */
export function statusOf(error: unknown): number | undefined {
	return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : undefined;
}

/** For `catch`: undefined for what is not there. */
export function unlessGone(error: unknown): undefined {
	if (statusOf(error) !== 404) {
		throw error;
	}
}

/** For what is already as it is wanted. */
export async function unless(status: number, call: Promise<unknown>): Promise<void> {
	try {
		await call;
	} catch (error) {
		if (statusOf(error) !== status) {
			throw error;
		}
	}
}
