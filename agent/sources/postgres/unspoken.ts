/** What of a statement is shown to nobody: roles, user mappings, foreign servers and subscriptions have passwords. Pure. */

const literal = "[eE]?'(?:[^'\\\\]|\\\\[^]|'')*(?:'|$)";
const holding = new RegExp(
	`\\b((?:create|alter)\\s+(?:user\\s+mapping|server|subscription|role|user)\\b|password\\b)((?:[^';]|${literal})*)`,
	'gi',
);

/** A message of a client program, without the literals of such statements, which may be cut off. */
export const unspoken = (message: string): string =>
	message.replaceAll(holding, (_, what: string, rest: string) => what + rest.replaceAll(new RegExp(literal, 'g'), "'…'"));
