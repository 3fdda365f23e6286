/** Proves the content of a restore point with the plain tools, without Holdfast. */
import assert from 'node:assert/strict';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import type {Stack} from '../stack.ts';
import {type PlainSnapshot, plainReader, put} from './reader.ts';

/** What `write-sqlite` writes: any whole copy has as many rows as its counter says. */
async function assertEntries(content: Buffer): Promise<void> {
	const folder = await mkdtemp(join(tmpdir(), 'holdfast-contents-'));
	try {
		const file = join(folder, 'app.db');
		await writeFile(file, content);
		const database = new DatabaseSync(file);
		const found = database.prepare('select count(*) as rows, max(n) as newest, (select total from counter) as total from entries').get();
		const integrity = database.prepare('pragma integrity_check').get();
		database.close();
		assert.deepEqual({...integrity}, {integrity_check: 'ok'});
		assert.ok(Number(found?.rows) > 0);
		assert.deepEqual([found?.newest, found?.total], [found?.rows, found?.rows]);
	} finally {
		await rm(folder, {recursive: true, force: true});
	}
}

/**
 * The point of a run is whole: its manifest counts its snapshots, its SQLite database is one of `write-sqlite`, its dump can be read to the end
 * by the server's own program (in the service `db`), its volume has the file `upload` with the numbers up to 100,000. The stack has a `readerService`.
 */
export async function assertPointIsWhole(stack: Stack, run: string): Promise<void> {
	const reader = plainReader(stack);
	const snapshots = await reader.snapshots('holdfast', `run:${run}`);
	const isManifest = ({tags}: PlainSnapshot) => tags.some(tag => tag.startsWith('manifest:'));
	const sources = snapshots.filter(snapshot => !isManifest(snapshot));
	const [manifest, ...others] = snapshots.filter(isManifest);
	assert.ok(manifest?.tags.includes(`manifest:${sources.length}`) && others.length === 0, 'the manifest does not count the snapshots');
	for (const {
		id,
		tags,
		paths: [path = ''],
	} of sources) {
		const source = tags.find(tag => tag.startsWith('source:')) ?? '';
		if (source.includes('sqlite:')) {
			await assertEntries(await reader.dump(id, path));
		} else if (source.includes('postgres:')) {
			await put(stack, 'db', '/tmp/point.dump', await reader.dump(id, path));
			await stack.exec('db', 'pg_restore', '--file=/dev/null', '/tmp/point.dump');
		} else {
			assert.equal(String(await reader.dump(id, `${path}/upload`)).split('\n').length, 100_001, 'the file in the volume is not whole');
		}
	}
}
