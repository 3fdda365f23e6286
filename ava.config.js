/** Files that take minutes begin first: none of them is left over at the end, when nothing runs beside it any more. */
const longest = [
	'systems',
	'kills',
	'restore-kills-parts',
	'restore-kills',
	'restore-kills-engine',
	'quiesce',
	'maintenance',
	'monitoring',
	'copies',
].map(name => `/${name}.engine.test.ts`);

const rank = file => {
	const index = longest.findIndex(end => file.endsWith(end));
	return index < 0 ? longest.length : index;
};

export default {
	files: ['test/**/*.test.ts'],
	extensions: ['ts'],
	timeout: '20m',
	sortTestFiles: (one, other) => rank(one) - rank(other) || one.localeCompare(other),
};
