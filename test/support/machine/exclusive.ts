import {mkdir} from 'node:fs/promises';
import {tmpdir, userInfo} from 'node:os';
import path from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {until} from '../until.ts';

const tryLock = (file: string): DatabaseSync | undefined => {
	const database = new DatabaseSync(file, {timeout: 0});
	try {
		database.exec('begin exclusive');
		return database;
	} catch {
		database.close();
		return undefined;
	}
};

/**
 * Does `work` while no other process of this user does work of the same `name`: test files run in processes of their own, and would build
 * the same image twice. The lock is SQLite's on a file, because the kernel lets go of it when its owner dies, however it dies.
 */
export const exclusive = async <Result>(name: string, work: () => Promise<Result>): Promise<Result> => {
	const folder = path.join(tmpdir(), `holdfast-test-locks-${userInfo().uid}`);
	await mkdir(folder, {recursive: true, mode: 0o700});
	const file = path.join(folder, `${name.replaceAll(/[^\w.-]+/g, '_')}.lock`);
	const lock = await until(`the lock on ${name}`, () => tryLock(file), {timeout: 20 * 60_000, interval: 200});
	try {
		return await work();
	} finally {
		lock.close();
	}
};
