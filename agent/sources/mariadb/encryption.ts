/** Tables that a server encrypts on its disk. A dump of them is not encrypted by it: only a server with keys can make such tables again. */
import * as z from 'zod';
import {quoteLiteral} from './client.ts';
import type {MariadbServer} from './server.ts';

type Asked = Pick<MariadbServer, 'query'>;

export const encryption = z.object({
	/** How many say that they are encrypted, or by which key. */
	tables: z.number(),
	/** The numbers of their keys, where they say one. */
	keys: z.array(z.number()),
	/** The server encrypts those, too, that say nothing. */
	isDefault: z.boolean(),
});

export type Encryption = z.infer<typeof encryption>;

export const unencrypted: Encryption = {tables: 0, keys: [], isDefault: false};

/** Of MariaDB: https://mariadb.com/kb/en/innodb-encryption-overview/ */
export async function encryptionOf({flavour, query}: Pick<MariadbServer, 'flavour' | 'query'>, database: string): Promise<Encryption> {
	if (flavour !== 'mariadb') {
		return unencrypted;
	}

	const rows = await query(
		`select coalesce(create_options, ''), @@global.innodb_encrypt_tables from information_schema.tables where table_schema = ${quoteLiteral(database)} and create_options like '%encrypt%'`,
	);
	const keys = rows.flatMap(([options = '']) => /encryption_key_id`?='?(\d+)/i.exec(options)?.[1] ?? []);
	return {
		tables: rows.filter(([options = '']) => /encrypted`?='?yes|encryption_key_id/i.test(options)).length,
		keys: [...new Set(keys.map(Number))].sort((a, b) => a - b),
		isDefault: rows.some(([, value = 'OFF']) => value !== 'OFF'),
	};
}

export const encryptionProblems = async ({tables}: Encryption, {query, where}: Asked & Pick<MariadbServer, 'where'>): Promise<string[]> =>
	tables === 0 ||
	(await query("select 1 from information_schema.plugins where plugin_type = 'ENCRYPTION' and plugin_status = 'ACTIVE'")).length > 0
		? []
		: [
				`${tables === 1 ? 'one of its tables is' : `${tables} of its tables are`} to be encrypted by the server, and the server ${where} has no keys (\`file_key_management\` or the like): set them up before`,
			];
