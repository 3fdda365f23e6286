/** Takes secrets out of text that leaves the agent: log lines, errors, events. */

export interface Redactor {
	/** More values that must never be shown. Shorter ones than four characters are left: they would make every text unreadable. */
	add: (secrets: readonly string[]) => void;
	apply: (text: string) => string;
	/** The same value as far as JSON can say it, its strings and names redacted. */
	applyToJson: (value: unknown) => unknown;
}

export function createRedactor(): Redactor {
	const spellings = new Set<string>();
	let longestFirst: string[] = [];
	const apply = (text: string) => longestFirst.reduce((redacted, spelling) => redacted.replaceAll(spelling, '***'), text);
	const applyToJson = (value: unknown): unknown => {
		if (typeof value === 'string') {
			return apply(value);
		}

		if (Array.isArray(value)) {
			return value.map(applyToJson);
		}

		const isObject = typeof value === 'object' && value !== null;
		return isObject ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [apply(name), applyToJson(inner)])) : value;
	};

	return {
		add(secrets) {
			for (const spelling of secrets.filter(({length}) => length >= 4).flatMap(spellingsOf)) {
				spellings.add(spelling);
			}

			longestFirst = [...spellings].sort((a, b) => b.length - a.length);
		},
		apply,
		applyToJson,
	};
}

/** As it is, in JSON, and in a URL. */
function spellingsOf(secret: string): string[] {
	return [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret.toWellFormed())];
}
