/** Where a person's words lead in a point. Pure. */
import {NotFoundError, UsageError} from '../../base/errors.ts';
import {nearest} from '../../base/reading/nearest.ts';
import {quote} from '../../base/reading/quote.ts';
import type {Manifest, ManifestSource} from '../repository/manifest.ts';
import {parseSource} from '../repository/names.ts';
import {pathIn} from '../sources/inside.ts';

export interface Place {
	stored: ManifestSource;
	/** From the root of the source, with a slash in front; `''`: the source itself. */
	below: string;
}

/**
 * @param text a source, with a path behind it perhaps (`web/volume:/data/a.png`), or a path in the container (`/data/a.png`)
 * @throws {NotFoundError | UsageError} that names what there is
 */
export function placeOf(manifest: Manifest, text: string): Place {
	const given = text === '/' ? text : text.replace(/\/$/, '');
	const places = given.startsWith('/') ? inContainers(manifest, given) : asSource(manifest, given);
	const [place, ...others] = places;
	if (place !== undefined && others.length === 0) {
		return place;
	}

	const names = manifest.sources.map(({source}) => source);
	if (place !== undefined) {
		const meant = places.map(({stored, below}) => `\`${stored.source}${below}\``).join(' or ');
		throw new UsageError(`${quote(text)} is in several services of \`${manifest.target}\``, {hint: `name its source: ${meant}`});
	}

	const near = nearest(given, names);
	throw new NotFoundError(`point \`${manifest.run}\` of \`${manifest.target}\` holds no ${quote(text)}`, {
		hint: near === undefined ? `it holds ${names.map(name => `\`${name}\``).join(', ') || 'nothing'}` : `did you mean \`${near}\`?`,
	});
}

function asSource(manifest: Manifest, text: string): Place[] {
	const whole = manifest.sources.find(({source}) => source === text);
	if (whole !== undefined) {
		return [{stored: whole, below: ''}];
	}

	const [stored, below] = pathIn(manifest, text) ?? [];
	return stored === undefined || below === undefined ? [] : [{stored, below}];
}

/** Of each service, the innermost that holds the path. */
function inContainers(manifest: Manifest, path: string): Place[] {
	const services = [...new Set(manifest.sources.map(({source}) => parseSource(source).prefix))];
	return services.flatMap(prefix => {
		const own = manifest.sources.filter(({source}) => parseSource(source).prefix === prefix);
		const places = own.flatMap(stored => {
			const {name} = parseSource(stored.source);
			const below = behind(name, path);
			return name === path ? [{stored, below: ''}] : below === '' ? [] : asSource(manifest, stored.source.replace(/\/$/, '') + below);
		});
		return places.toSorted((a, b) => b.stored.source.length - a.stored.source.length).slice(0, 1);
	});
}

/** What of a path lies behind the name of a source; `''`: it lies elsewhere. */
const behind = (name: string, path: string): string => {
	const root = name.replace(/\/$/, '');
	return path.startsWith(`${root}/`) ? path.slice(root.length) : '';
};

/** As `placeOf` takes it: a path in the container where the source has one. */
export function pathOf(source: string, below: string): string {
	const {name} = parseSource(source);
	return name.startsWith('/') ? name.replace(/\/$/, '') + below || '/' : source + below;
}
