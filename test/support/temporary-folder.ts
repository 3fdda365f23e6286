/** A folder of a test's own, removed with all that is in it when the test is over. */
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';

/** @param options.name what its name has in it, where that matters */
export function temporaryFolder(
	t: Pick<ExecutionContext, 'teardown'>,
	{name = 'test', within = tmpdir()}: {name?: string; within?: string} = {},
): string {
	const folder = mkdtempSync(join(within, `holdfast-${name}-`));
	t.teardown(() => rmSync(folder, {recursive: true, force: true}));
	return folder;
}
