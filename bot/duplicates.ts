/** What was seen lately: Slack delivers again what it believes lost. */
export function createDuplicates(limit = 2000) {
	const seen = new Set<string>();
	return {
		/** False the second time. */
		isNew(key: string): boolean {
			if (seen.has(key)) {
				return false;
			}

			seen.add(key);
			for (const oldest of seen.size > limit ? [seen.values().next().value as string] : []) {
				seen.delete(oldest);
			}

			return true;
		},
	};
}
