/** What the manifest says of a database whose dump came from elsewhere: half of it the dump knows, half of it the server that it is for. */

import type {PortableMetadata} from '../../repository/manifest.ts';
import type {SourceContext} from '../source.ts';
import {serverVersion} from './describe.ts';
import type {DumpHeader} from './dump-header.ts';
import {versionNumber} from './dump-header.ts';
import {dumpGlobals} from './globals.ts';
import {inspectDump} from './inspect.ts';
import type {PlannedDatabase} from './plan.ts';
import {databaseProperties, describeSql} from './properties.ts';
import type {PostgresServer} from './server.ts';
import {quoteLiteral} from './sql.ts';

interface Imported {
	database: PlannedDatabase;
	header: DumpHeader;
	metadata: PortableMetadata | undefined;
	/** The staged dump, and a name for a FIFO. */
	file: string;
	fifo: string;
}

export async function importedDetails(
	context: SourceContext,
	server: PostgresServer,
	{database: {database, container}, header, metadata, file, fifo}: Imported,
): Promise<{details: Record<string, unknown>; warnings: string[]}> {
	const {bytes, extensions} = await inspectDump(context, server, {container, file, fifo});
	const version = await serverVersion(server);
	const dumped = versionNumber(header.serverVersion);
	const warnings =
		dumped !== undefined && Math.floor(dumped / 10_000) > Math.floor(version.versionNumber / 10_000)
			? [
					`the dump is of PostgreSQL ${header.serverVersion}, and the server ${server.where} has ${version.versionText}: it cannot be restored until that server is of the same or a later version`,
				]
			: [];
	const claimed = Number(metadata?.databaseSize);
	return {
		details: {
			...(await propertiesOf(server, database)),
			database,
			format: 'custom',
			serverVersion: header.serverVersion,
			serverVersionNumber: dumped ?? version.versionNumber,
			databaseSize: Math.max(bytes, Number.isSafeInteger(claimed) ? claimed : 0),
			extensions: await extensionVersions(server, extensions),
			toolVersion: header.toolVersion,
			// The target's own: a rehearsal in scratch, or a new server, needs the owner that it gives to everything.
			globals: await dumpGlobals(server, await server.maintenance()),
			portable: true,
		},
		warnings,
	};
}

/** Of the database that it will replace; where there is none, of one that the server would make. */
async function propertiesOf(server: PostgresServer, database: string) {
	const maintenance = await server.maintenance();
	const [own] = await server.query(maintenance, describeSql(`datname = ${quoteLiteral(database)}`));
	if (own?.[0] !== undefined) {
		return databaseProperties.parse(JSON.parse(own[0]));
	}

	const [template] = await server.query(maintenance, describeSql("datname = 'template1'"));
	const {encoding, collate, ctype, localeProvider, locale, icuRules} = databaseProperties.parse(JSON.parse(template?.[0] ?? '{}'));
	return {owner: server.user, encoding, collate, ctype, localeProvider, locale, icuRules};
}

/** A dump names extensions without their versions; the server's own are what it would make. */
async function extensionVersions(server: PostgresServer, names: readonly string[]): Promise<Record<string, string>> {
	const rows = await server.anywhere('select to_json(name), default_version from pg_available_extensions');
	const known = new Map(rows.map(([name = '""', version = '']) => [JSON.parse(name) as string, version]));
	return Object.fromEntries(names.map(name => [name, known.get(name) ?? 'any']));
}
