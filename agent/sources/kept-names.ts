/** Names that a restore gives to files beside the live ones. No backup takes them, and no restore of a folder removes them. */
export const restoreFiles = {
	fresh: (name: string, run: string) => `.${name}.holdfast-restore-${run}`,
	old: (name: string, run: string) => `.${name}.holdfast-before-${run}`,
	patterns: ['.*.holdfast-restore-*', '.*.holdfast-before-*'],
} as const;

/** Whether a restore gave that name. */
export const isOfRestore = (name: string): boolean => /^\..*\.holdfast-(?:restore|before)-/s.test(name);
