import {RunError} from '../../base/errors.ts';

/** Exit codes 10 to 12, `--stdin-from-command` that can be trusted, `restore --delete`; `restore --exclude-xattr` is of 0.18. */
const leastVersion = '0.18.0';

const numbers = (version: string): number[] => version.split(/[.+-]/).map(part => Number.parseInt(part, 10) || 0);

/** @throws {RunError} when this version of restic is too old. A version that cannot be read is too old. */
export function requireVersion(version: string): void {
	const [major = 0, minor = 0, patch = 0] = numbers(version);
	const [leastMajor = 0, leastMinor = 0, leastPatch = 0] = numbers(leastVersion);
	const distance = major - leastMajor || minor - leastMinor || patch - leastPatch;
	if (distance < 0) {
		throw new RunError(`restic ${version} is too old: at least ${leastVersion} is needed`, {
			hint: 'use the image as it is, or update restic',
		});
	}
}
