/** A password that a label names: a file of the agent. */
import {readFile} from 'node:fs/promises';
import {RunError} from '../../base/errors.ts';
import {label} from '../../base/label.ts';

const secretsFolder = '/run/secrets';

/** @throws with what to give to Holdfast */
export async function secretOf(
	{secret, project}: {secret: string; project: string | undefined},
	/** The label that names it, without the prefix. */
	asking: string,
): Promise<string> {
	if (project === undefined) {
		throw new RunError(`\`${label(asking)}\` is for services of a Compose project, got \`${secret}\` outside of one`);
	}

	const file = `${secretsFolder}/${project}.${secret}`;
	const hint = `give the service of Holdfast the secret \`${project}.${secret}\``;
	const content = await readFile(file, 'utf8').catch((error: unknown) => {
		const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'has no' : 'cannot read its';
		throw new RunError(`\`${label(asking)}\` names \`${secret}\`, and Holdfast ${why} file \`${file}\``, {hint});
	});
	const password = content.replace(/\r?\n$/, '');
	if (password === '' || password.includes('\0')) {
		throw new RunError(`the file \`${file}\` holds no password`, {hint});
	}

	return password;
}
