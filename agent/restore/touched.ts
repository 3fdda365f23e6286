/** What a restore, or the undoing of one, has in hand: for itself alone. */
import type {Touched} from '../runs/holds.ts';
import {storageOf} from '../sources/mounts.ts';
import type {RestoreRecord} from '../state/restores.ts';
import type {Restoration} from './plan/plan.ts';
import type {UndoPlan} from './undo-plan.ts';

const alone = (container: string): Touched => ({container, alone: true});

/** Beside the live databases nothing is touched, but the server must run on. */
export function touchedByRestore({sources, stop, into}: Restoration): Touched[] {
	if (into !== undefined) {
		return sources.map(({container}) => ({container: container.id, alone: false}));
	}

	return [
		...[...stop, ...sources].map(({container}) => alone(container.id)),
		...sources.flatMap(({mount}) => (mount === undefined ? [] : [{mount, alone: true}])),
	];
}

export const touchedByUndo = ({containers, stop, mounts}: UndoPlan, {replacements}: Pick<RestoreRecord, 'replacements'>): Touched[] => [
	...[...containers.values(), ...stop.map(({container}) => container)].map(({id}) => alone(id)),
	...[...mounts, ...replacements.flatMap(({mount}) => (mount === undefined ? [] : [storageOf(mount)]))].map(mount => ({
		mount,
		alone: true,
	})),
];
