/** The manifest: written last, it makes a run's snapshots a restore point, and says what a restore must know. */
import * as z from 'zod';

export const manifestSource = z.object({
	source: z.string(),
	/** One of the table of kinds; of another, where a newer Holdfast made the point. */
	kind: z.string(),
	snapshot: z.string(),
	bytes: z.number(),
	addedBytes: z.number(),
	durationSeconds: z.number(),
	/** Where the content is in the snapshot. */
	path: z.string(),
	container: z.object({name: z.string(), image: z.string(), imageId: z.string(), labels: z.record(z.string(), z.string())}),
	/** By kind; see the source's file. */
	details: z.record(z.string(), z.unknown()),
});

const text = z.string().max(1000);

/** All numbers are texts too: seconds, and bytes. */
export const portableMetadata = z.object({duration: text, dumpSize: text, modelVersion: text, databaseSize: text, filesSize: text});

export type PortableMetadata = z.infer<typeof portableMetadata>;

/** Where an imported point came from. */
const origin = z.object({
	/** As the person called it; hostile. */
	file: z.string(),
	kind: z.enum(['archive', 'dump']),
	importedAt: z.string(),
	/** As the dump says; null where it does not. */
	dumpedAt: z.string().nullable(),
	database: z.string(),
	serverVersion: z.string(),
	/** What the archive says of itself. */
	metadata: portableMetadata.nullable(),
});

export const manifest = z.object({
	/** Raised when a reader of the earlier ones could misread it. */
	schema: z.literal(1),
	run: z.string(),
	target: z.string(),
	/** The moment that the point shows, ISO 8601. */
	time: z.string(),
	startedAt: z.string(),
	host: z.string(),
	/** The id of the agent that made it; points of older versions do not say. */
	agent: z.string().optional(),
	engineVersion: z.string(),
	holdfastVersion: z.string(),
	resticVersion: z.string(),
	quiesced: z.array(z.object({container: z.string(), action: z.enum(['pause', 'stop'])})),
	quiesceSeconds: z.number(),
	sources: z.array(manifestSource),
	/** Where Swarm runs the target: the ids of its services, since when this agent has them on its node, ISO 8601, and the ids of the managers' nodes. */
	swarm: z.object({services: z.array(z.string()).nonempty(), since: z.string(), managers: z.array(z.string()).optional()}).optional(),
	/** What the target had beside them, and why it is not in the point. */
	absent: z.array(z.object({source: z.string(), why: z.string()})).optional(),
	origin: origin.optional(),
});

export type Manifest = z.infer<typeof manifest>;
export type Origin = z.infer<typeof origin>;
export type ManifestSource = z.infer<typeof manifestSource>;
