export default {
	files: ['test/**/*.test.ts'],
	extensions: ['ts'],
	timeout: '20m',
	// Node 24.21 sometimes ends with SIGTRAP while it ends one of so many threads, and all files with it: each has a process of its own, which takes no longer.
	workerThreads: false,
};
