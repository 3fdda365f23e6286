import {createHash} from 'node:crypto';

/** A name may have 255 bytes in all, and `-none` may follow. */
const mostBytes = 250;

/** One that is too long with what is put around it is cut, and stays another than all others. */
function cut(name: string, around: (name: string) => string): string {
	const over = Buffer.byteLength(around(name)) - mostBytes;
	if (over <= 0) {
		return around(name);
	}

	const id = createHash('sha256').update(name).digest('hex').slice(0, 8);
	const kept = Buffer.from(name).subarray(0, Buffer.byteLength(name) - over - id.length - 4);
	return around(`${kept.toString().replace(/\uFFFD+$/, '')}~${id}`);
}

/** Names that a restore gives to files beside the live ones. No backup takes them, and no restore of a folder removes them. */
export const restoreFiles = {
	fresh: (name: string, run: string) => cut(name, part => `.${part}.holdfast-restore-${run}`),
	old: (name: string, run: string) => cut(name, part => `.${part}.holdfast-before-${run}`),
	patterns: ['.*.holdfast-restore-*', '.*.holdfast-before-*'],
} as const;

/** Whether a restore gave that name. */
export const isOfRestore = (name: string): boolean => /^\..*\.holdfast-(?:restore|before)-/s.test(name);
