/** Secrets that Holdfast makes itself when none is given, and keeps in the state directory. */
import {randomBytes} from 'node:crypto';
import {closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync} from 'node:fs';
import {join} from 'node:path';

export interface Kept {
	value: string;
	path: string;
	/** It was made just now. */
	isNew: boolean;
}

/** The password of the embedded repository. @throws when the file is there and cannot be used: it is never replaced. */
export const ensurePassword = (stateDirectory: string): Kept => ensureSecret(join(stateDirectory, 'repository-password'));

/** The token of the HTTP API. @throws like `ensurePassword`. */
export const ensureApiToken = (stateDirectory: string): Kept => ensureSecret(join(stateDirectory, 'api-token'));

/** As it is made here. A person may have put another into the file: one that was chosen is shorter, or repeats itself. */
export const isGenerated = (secret: string): boolean => /^[\w-]{43}$/.test(secret) && new Set(secret).size >= 18;

function ensureSecret(path: string): Kept {
	const kept = readSecret(path);
	if (kept !== undefined) {
		return {value: kept, path, isNew: false};
	}

	const isNew = create(path, randomBytes(32).toString('base64url'));
	return {value: readSecret(path) ?? missing(path), path, isNew};
}

function missing(path: string): never {
	throw new Error(`\`${path}\` is gone just after it was written`);
}

function readSecret(path: string): string | undefined {
	let content: string;
	try {
		content = readFileSync(path, 'utf8').trim();
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
			return undefined;
		}

		throw new Error(`\`${path}\` cannot be read: it holds a secret that nothing else knows, so no new one is made`, {cause: error});
	}

	if (content === '') {
		throw new Error(`\`${path}\` is empty, and a new secret would open nothing: put the copy that you kept in its place`);
	}

	return content;
}

/** A crash leaves either no file or a whole one. False when another process was faster. */
function create(path: string, secret: string): boolean {
	const draft = `${path}.${randomBytes(4).toString('hex')}.new`;
	try {
		writeFlushed(draft, `${secret}\n`);
		linkSync(draft, path);
		return true;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
			return false;
		}

		throw new Error(`\`${path}\` cannot be written`, {cause: error});
	} finally {
		rmSync(draft, {force: true});
		flush(join(path, '..'));
	}
}

function writeFlushed(path: string, content: string): void {
	const file = openSync(path, 'wx', 0o600);
	try {
		writeSync(file, content);
		fsyncSync(file);
	} finally {
		closeSync(file);
	}
}

function flush(directory: string): void {
	const file = openSync(directory, 'r');
	try {
		fsyncSync(file);
	} finally {
		closeSync(file);
	}
}
