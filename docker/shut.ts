/** Why the engine's socket cannot be used although it is there: whose it is, and what a person can do. */
import {statSync} from 'node:fs';
import {RunError} from '../base/errors.ts';

/** What the kernel shows for owners that a user namespace knows nothing of. */
const nobody = 65_534;

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

/** The error itself where it is about anything else. @param socket its path */
export function explainShut(
	error: unknown,
	socket: string | undefined,
	ownerOf: (path: string) => {uid: number; gid: number} = statSync,
): unknown {
	if (socket === undefined || codeOf(error) !== 'EACCES') {
		return error;
	}

	let owner: {uid: number; gid: number};
	try {
		owner = ownerOf(socket);
	} catch {
		return error;
	}

	const {uid, gid} = owner;
	return new RunError(
		`\`${socket}\` belongs to uid ${uid} and gid ${gid}, and Holdfast may not use it, which is uid ${process.getuid?.() ?? 0} here`,
		{
			hint:
				uid === nobody
					? 'a user namespace stands between (userns-remap): set `userns_mode: host` for the service of Holdfast, with `cap_add: [DAC_OVERRIDE]` where it has `cap_drop: [ALL]`; docs/engines.md'
					: 'run it as root, as the image does by itself, without `user:`; where SELinux is on, with `security_opt: [label=disable]`',
			cause: error,
		},
	);
}
