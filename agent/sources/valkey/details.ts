/** What the manifest says of what a server saved. */
import * as z from 'zod';

export const valkeyDetails = z.object({
	/** `Valkey 8.1.1` */
	software: z.string(),
	/** Where the server keeps its data, as its container sees it. */
	folder: z.string(),
	/** As the checking program counts them; `expires`: those of them that the server removes in time. */
	keys: z.number(),
	expires: z.number(),
	/** What the keys and their values took of the server's memory. */
	memoryBytes: z.number(),
	/** When the server began to save, in seconds since 1970. */
	savedAt: z.number(),
});

export type ValkeyDetails = z.infer<typeof valkeyDetails>;
