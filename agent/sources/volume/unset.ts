import type {Tolerated} from '../../../base/results.ts';
import type {Unset} from '../../restic/restic.ts';

/** `count`: of files. */
export const describeUnset = (source: string, {what, count}: Unset): Tolerated => ({
	source,
	what: `${what}${count === 1 ? '' : ' and the like of others'} could not be set: only who may administer the machine does that, or the server that has the files; set it by hand`,
	count,
});
