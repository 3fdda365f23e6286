/** Another program's labels and settings → what would be ours, to be written down once: `holdfast labels shop --from offen`. Pure. */

import type {DialectName} from '../../../base/reading/values.ts';
import {isOneOff} from '../../../docker/compose.ts';
import type {Container} from '../../../docker/container.ts';
import type {Labels} from '../label-names.ts';
import type {Suggestion} from '../suggest.ts';
import type {Meant} from './dialect.ts';
import {heeding, notTaken, type Program, withStorages} from './program.ts';
import {isProgram} from './settings.ts';
import {dialectOf, withData} from './translate.ts';

type Told = Pick<Suggestion, 'container' | 'labels' | 'why'>;

export interface Ours {
	services: readonly Told[];
	variables: readonly Meant[];
	lost: readonly string[];
}

interface Theirs {
	name: DialectName;
	/** Of the project. */
	containers: readonly Container[];
	/** Each of its own containers on this engine, of whichever project. */
	programs: readonly Program[];
	/** What would protect what no label of theirs speaks of, where all is meant. */
	suggested: readonly Told[];
}

export function oursOf({name, containers, programs, suggested}: Theirs): Ours {
	const settings = programs.map(program => program.settings);
	const beside = programs.filter(({project}) => containers.some(container => container.project === project));
	const lost = new Set([...settings.flatMap(each => each.lost), ...beside.flatMap(notTaken)]);
	const services = new Map<string, Told>();
	for (const container of containers.filter(({image, labels}) => !isProgram(name, image) && !isOneOff(labels))) {
		const {meant, lost: without} = withData(dialectOf(name)(container), container);
		for (const text of without) {
			lost.add(`${container.service ?? container.name}: ${text}`);
		}

		const service = container.service ?? container.name;
		const all = heeding(withStorages(meant, container, programs), container, programs);
		const isNew = !services.has(service) && all.length > 0;
		if (isNew) {
			services.set(service, {container, labels: labelsOf(all), why: all.map(({name: ours, because}) => `${ours}: because of ${because}`)});
		}
	}

	if (settings.some(({all}) => all)) {
		for (const suggestion of suggested) {
			const service = suggestion.container.service ?? suggestion.container.name;
			if (!services.has(service) && !isProgram(name, suggestion.container.image)) {
				services.set(service, {...suggestion, labels: {enable: 'true', ...suggestion.labels}});
			}
		}
	}

	return {
		// What is the default of ours is no label.
		services: [...services.values()].filter(({labels}) => labels.enable === 'true'),
		variables: settings[0]?.variables ?? [],
		lost: [...lost],
	};
}

const labelsOf = (meant: readonly Meant[]): Labels => Object.fromEntries(meant.map(({name, value}) => [name, value]));
