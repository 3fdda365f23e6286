/** Labels as this agent reads them: `HOLDFAST_LABEL_PREFIX` changes their beginning, and every message must name the one that does something. */

export const defaultPrefix = 'holdfast.';

let prefix = defaultPrefix;

/** Once, where the configuration is read: a process has one prefix. */
export function useLabelPrefix(configured: string): void {
	prefix = configured;
}

/** The whole label, for messages: `holdfast.drill.sql`. */
export const label = (name: string): string => prefix + name;
