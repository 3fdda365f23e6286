/** Ways to load a dump that cannot be loaded as it is. */
import {mayNeedOtherRows} from './checks.ts';
import type {postgresDetails} from './dump.ts';
import {needsOrder} from './extensions.ts';
import type {DatabaseProperties} from './properties.ts';
import {isPathMissing, isRefusedStatement, pathOf} from './search-path.ts';
import type {PostgresServer} from './server.ts';
import {stateOf} from './swap.ts';

/** How a dump is loaded that cannot be loaded as it is. */
export interface Way {
	/** In place of the empty one. */
	searchPath?: string;
	/** Checks that may look at other rows are made when all rows are there. */
	checksLast?: true;
}

interface Failed {
	server: PostgresServer;
	/** Its name. */
	database: string;
	/** What was loaded as far as it went, if it was made at all. */
	fresh: string;
	details: ReturnType<typeof postgresDetails.parse>;
	properties: DatabaseProperties;
	message: string;
}

/** What may help where `way` has failed. Each is tried once. */
export async function otherWay(
	way: Way,
	{server, database, fresh, details, properties, message}: Failed,
): Promise<{way: Way; why: string; how: string} | undefined> {
	const isMade = (await stateOf(server, database, fresh)).exists;
	if (isMade && way.searchPath === undefined && (await mayLackPath(server, fresh, message))) {
		const searchPath = pathOf(properties, details.globals);
		return {
			way: {...way, searchPath},
			why: 'cannot be loaded with an empty search path',
			how: `with ${searchPath}. \`alter function … set search_path = …\` of what relies on it saves that`,
		};
	}

	return isMade &&
		way.checksLast === undefined &&
		details.format === 'custom' &&
		!needsOrder(details.extensions) &&
		(await mayNeedOtherRows(server, fresh, message))
		? {
				way: {...way, checksLast: true},
				why: 'has checks that may look at other rows, which were not there yet',
				how: 'and these checks are made when all rows are there',
			}
		: undefined;
}

/** What a server says in another language is not understood: then any statement that failed is reason enough for the second try. */
async function mayLackPath(server: PostgresServer, database: string, message: string): Promise<boolean> {
	if (isPathMissing(message) || !isRefusedStatement(message)) {
		return isPathMissing(message);
	}

	const [[superuser = '', language = ''] = []] = await server.query(
		database,
		"select current_setting('is_superuser'), current_setting('lc_messages')",
	);
	return superuser !== 'on' && !/^(?:C|POSIX|en)\b|^en_|^$/.test(language);
}
