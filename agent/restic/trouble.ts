/**
 * What restic says while it cannot reach its storage: it tries each request again for a quarter of an hour, and tells nobody but its error output.
 * While it opens the repository there is nothing to lose: then it is not given that long.
 */
import {linesOfPieces} from '../../base/lines.ts';

/** A repository that cannot be opened for so long is away. */
const openingMs = 60_000;

/** A name that is not known twice in a row is wrong, or its server is off. */
const unknownLimit = 2;

/** And what answers there is no repository, when it says so this often in a row. */
const strangerLimit = 3;

/** Where a repository may be only added to, or only read. */
export const refusedHint =
	'check what its credentials may; where it is only added to, or only read, on purpose: HOLDFAST_REPOSITORY_ACCESS (docs/append-only.md)';

/** What the reasons of restic and its helpers mean, where that is something else than a network that is away. */
const knownTroubles: ReadonlyArray<readonly [RegExp, string]> = [
	[
		/negative content length|invalid character '<'|unexpected HTTP response \((?:200|3\d\d)\)|malformed HTTP|first record does not look like a TLS handshake/i,
		'what answers there is no repository: a login page, a proxy, or https where it should be http? `curl --include` with the address shows what it is',
	],
	[
		/RequestTimeTooSkewed|difference between the request time and|RequestExpired|Signature (?:expired|not yet current)/i,
		"this host's clock is wrong, or the server's: set both by NTP (`timedatectl`)",
	],
	[
		/host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED/i,
		'ssh asks nobody here whether it is the right server: mount a file that has its key (`ssh-keyscan HOST`, compared with what the server says of itself), and name it in `sftp.args`: `-o UserKnownHostsFile=FILE` (docs/copies.md)',
	],
	[/certificate (?:has expired|is not yet valid)/i, "the server's certificate is over, or this host's clock is wrong (`timedatectl`)"],
	[
		/certificate signed by unknown authority|unable to verify|self[- ]signed certificate/i,
		'give the file of the authority that signed its certificate: RESTIC_CACERT',
	],
];

/** What a person can do about a repository that cannot be reached for this reason. */
export const unreachableHint = (reason = ''): string => knownHint(reason) ?? 'check the network, the address and the credentials';

export const knownHint = (reason: string): string | undefined => knownTroubles.find(([pattern]) => pattern.test(reason))?.[1];

/** How often the same is said. */
const tellMs = 60_000;

/** In characters. */
const longestComplaint = 4096;

export interface Trouble {
	/** Takes the error output, in pieces. */
	hear: (piece: string) => void;
	/** The last reason; undefined while there was none. */
	reason: () => string | undefined;
}

interface TroubleOptions {
	onRetry: (reason: string) => void;
	/** It is not worth while to wait. */
	onHopeless: (problem: 'unreachable' | 'refused', reason: string, hint: string) => void;
	/** Milliseconds that only grow. */
	now?: () => number;
}

const retrying = /^(\w+\(.*?\)) returned error, retrying after [^:]+: (.+)$/;
const opening = /^(?:Stat|Load|List)\(<?(?:config|key)/;
const locking = /^Save\(<lock\//;
/** Waiting mends none of these. */
const refusal = /read-only file system|\b403\b|forbidden|access ?denied|permission denied|operation not permitted/i;
const unknownName = /lookup (\S+?)(?: on \S+)?: no such host/;

export function listenForTrouble({onRetry, onHopeless, now = () => performance.now()}: TroubleOptions): Trouble {
	let last: string | undefined;
	let since: number | undefined;
	let unknown = 0;
	let strange = 0;
	let toldAt = Number.NEGATIVE_INFINITY;

	const read = (line: string): void => {
		const [, request = '', reason] = retrying.exec(line.trim()) ?? [];
		if (reason === undefined) {
			return;
		}

		last = reason;
		if (now() - toldAt >= tellMs) {
			toldAt = now();
			onRetry(reason);
		}

		if (locking.test(request) && refusal.test(reason)) {
			onHopeless('refused', reason, refusedHint);
			return;
		}

		if (!opening.test(request)) {
			return;
		}

		since ??= now();
		const [, name] = unknownName.exec(reason) ?? [];
		unknown = name === undefined ? 0 : unknown + 1;
		strange = knownHint(reason) === undefined ? 0 : strange + 1;
		if (name !== undefined && unknown >= unknownLimit) {
			onHopeless(
				'unreachable',
				reason,
				`\`${name}\` is no name that is known in the agent's network: correct it, start its server, or give the agent \`extra_hosts\` or \`dns\``,
			);
		} else if (strange >= strangerLimit || now() - since >= openingMs) {
			onHopeless('unreachable', reason, unreachableHint(reason));
		}
	};

	return {
		hear: linesOfPieces(longestComplaint, read),
		reason: () => last,
	};
}
