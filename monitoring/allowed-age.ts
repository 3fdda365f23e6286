/** The rule of base/late.ts as PromQL: how old the last success of an operation may be, in seconds. */
import {allowedShare, graceSeconds} from '../base/late.ts';

export const allowedAge = (operation: string): string =>
	`(${allowedShare} * holdfast_expected_interval_seconds{operation="${operation}"} + ${graceSeconds})`;
