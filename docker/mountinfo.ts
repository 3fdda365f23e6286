/** `/proc/<pid>/mountinfo`: what is mounted where, as the kernel says it. Pure. */

export interface MountedFolder {
	/** `major:minor` of the file system. */
	device: string;
	/** The folder of that file system that is mounted. */
	root: string;
	/** Where it is mounted. */
	path: string;
	/** What stands behind the dash: type, source, options. */
	system: string;
}

/** Spaces and the like are written as octal numbers. */
export const unescaped = (path: string): string =>
	path.replaceAll(/\\([0-7]{3})/g, (_match, digits) => String.fromCharCode(Number.parseInt(digits, 8)));

/** In the order of mounting: of two at one path the later one is seen. */
export function readMountinfo(text: string): MountedFolder[] {
	return text.split('\n').flatMap(line => {
		const [place = '', system = ''] = line.split(' - ');
		const [, , device, root, path] = place.split(' ').map(unescaped);
		return device === undefined || root === undefined || path === undefined ? [] : [{device, root, path, system}];
	});
}
