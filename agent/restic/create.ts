/** Makes restic's verbs, each subject of which has a file: it builds the call, runs it and reads what restic says. */
import type {Place} from '../../base/command.ts';
import {createCaller} from './call.ts';
import {comparing} from './comparing.ts';
import {listing} from './listing.ts';
import {createLocking} from './locking.ts';
import {locks} from './locks.ts';
import {looking} from './looking.ts';
import {opening} from './opening.ts';
import {reading} from './reading.ts';
import type {Repository} from './repository.ts';
import type {Restic, ResticOptions} from './restic.ts';
import {restoring} from './restoring.ts';
import {storing} from './storing.ts';
import {upkeep} from './upkeep.ts';

/** restic, run at a place on one repository. */
export function createRestic(place: Place, repository: Repository, options: ResticOptions = {}): Restic {
	const caller = createCaller(place, repository, options);
	const locking = createLocking(repository, options);
	return {
		...opening(caller, locking, repository),
		...storing(caller, locking),
		...listing(caller, locking),
		...reading(caller, locking),
		...comparing(caller, locking),
		...restoring(caller, locking, place),
		...looking(caller, locking),
		...upkeep(caller, locking),
		...locks(caller),
	};
}
