/** One mistake of one target, worded for a person: the label, the rule, the value, the nearest known name. */
export interface Problem {
	message: string;
	hint?: string | undefined;
}
