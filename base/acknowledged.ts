/** Which of the warnings before a restore somebody has read: a plan that is shown and one that is carried out are made at different times. Pure. */
import {createHash} from 'node:crypto';

/** True: whatever there is, as `--yes` says. Else the marks of the lines that were shown. */
export type Acknowledged = boolean | readonly string[];

const markOf = (line: string): string => createHash('sha256').update(line).digest('base64url').slice(0, 8);

const linesOf = (acknowledge: string | null | undefined): string[] => acknowledge?.split('\n') ?? [];

/** Of what a plan wants to be acknowledged, a line each: short enough for a button of Slack. */
export const marksOf = (acknowledge: string | null): string[] => linesOf(acknowledge).map(markOf);

/** The lines that nobody has read. */
export function unread(acknowledge: string | undefined, acknowledged: Acknowledged = false): string[] {
	const lines = linesOf(acknowledge);
	return typeof acknowledged === 'boolean' ? (acknowledged ? [] : lines) : lines.filter(line => !acknowledged.includes(markOf(line)));
}
