/** The table of sources that are rehearsed. */
import type {DrillContext, Drilling, DrillSource} from './drilling.ts';
import {postgresDrilling} from './postgres/drill.ts';
import {sqliteDrilling} from './sqlite/drill.ts';
import {tarDrilling} from './tar/drill.ts';
import {volumeDrilling} from './volume/drill.ts';

export function createDrilling(source: DrillSource, context: DrillContext, index: number): Drilling {
	switch (source.stored.kind) {
		case 'postgres':
			return postgresDrilling(source, context, index);
		case 'sqlite':
			return sqliteDrilling(source, context, index);
		case 'volume':
			return volumeDrilling(source, context, index);
		case 'tar':
			return tarDrilling(source, context, index);
	}
}
