/** The kit: all that opens the repositories without this host, as every door has it. */

/** That a person has the kit elsewhere. */
export interface Kept {
	/** ISO 8601. */
	at: string;
	/** Who said so: `cli`, `api`. */
	by: string;
}

/** A file that is needed beside the variables: as text, as base64 where it is none, with its size where it is too long for paper, or why it is missing. */
export type KitFile = {path: string} & ({text: string} | {base64: string} | {bytes: number} | {missing: string});

/** What `kit --json` prints. Full of secrets: it is in no event, log, metric or message. */
export interface Kit {
	host: string;
	/** The agent's id. */
	agent: string;
	version: string;
	/** ISO 8601. */
	madeAt: string;
	/** The primary one first. */
	repositories: Array<{
		name: string;
		/** Of this host, as far as it looks: a disk or a mount of a server, perhaps. */
		isFolder: boolean;
		/** What the folder is on the host: `volume \`backups\``, a path. Missing where it is in the agent's container alone. */
		heldIn?: string | undefined;
		/** What opens it, for restic and for Holdfast alike. */
		environment: Record<string, string>;
		options: Record<string, string>;
		/** Configurations, keys and certificates that these name, or that the programs look for by themselves. */
		files: KitFile[];
	}>;
	kept: Kept | null;
}
