/** What the engine refuses with. */
import {RunError} from '../base/errors.ts';
import {label} from '../base/label.ts';

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

/** A pause, where the engine has no control groups to do it by: rootless Docker where the host has cgroup v1. Any other error stays as it is. */
export const explainPause = (error: unknown): unknown =>
	error instanceof Error && /cgroups? not configured|cgroups? (?:is|are) not available/i.test(error.message)
		? new RunError('this engine cannot pause a container: it has no control groups', {
				hint: `rootless Docker and Podman can where the host has cgroup v2; until then \`${label('quiesce')}=stop\``,
				cause: error,
			})
		: error;
