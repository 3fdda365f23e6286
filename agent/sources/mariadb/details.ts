/** What the manifest says of a dumped database. */
import * as z from 'zod';
import {mariadbContents} from './contents.ts';
import {encryption, unencrypted} from './encryption.ts';
import {noEvents, schedule} from './schedule.ts';
import {lateView} from './views.ts';

export const mariadbDetails = z.object({
	database: z.string(),
	flavour: z.enum(['mariadb', 'mysql']),
	/** Of the server: `10.11.6-MariaDB-1`. */
	version: z.string(),
	toolVersion: z.string(),
	charset: z.string(),
	collation: z.string(),
	/** Of tables and indexes, as the server estimates it. */
	databaseSize: z.number(),
	/** How it tells names that differ in case only: `lower_case_table_names`. */
	lowerCase: z.number(),
	/** The dump is these, one after the other, in bytes: all but triggers, events and the views that read other databases; what it has beside tables once more, for where tables are renamed, with the triggers; the events; those views. */
	parts: z.object({all: z.number(), code: z.number(), events: z.number(), outer: z.number().default(0)}),
	contents: mariadbContents,
	/** In no part of the dump. */
	brokenViews: z.array(lateView).default([]),
	/** That read other databases: in the last part of the dump only. */
	outerViews: z.array(lateView).default([]),
	schedule: schedule.default(noEvents),
	encryption: encryption.default(unencrypted),
	/** Of its tables; none where the point does not say it. */
	engines: z.array(z.string()).default([]),
	/** SQL that makes each account that may do something here; none where the dumping one may not read it. */
	accounts: z.array(z.object({account: z.string(), statements: z.array(z.string())})),
});

export type MariadbDetails = z.infer<typeof mariadbDetails>;
