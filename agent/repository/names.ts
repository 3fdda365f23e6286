/** How a source is called in the repository, so that a plain restic user finds it: tags and paths. */

/** Percent-encodes what a tag or a path cannot hold: restic splits tags at commas and trims them, and a path at slashes. */
const encode = (text: string, unsafe: RegExp) =>
	text.replace(unsafe, character =>
		[...Buffer.from(character)].map(byte => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
	);

const unsafeInTag = /[%,\u0000-\u001F\u007F]|\s$/g;
const unsafeInPath = /[%\u0000-\u001F\u007F]/g;

export const encodeTag = (text: string) => encode(text, unsafeInTag);

export const decodeTag = (text: string) => decodeURIComponent(text);

/** `source:postgres:metadb`. Reversible with `sourceOfTag`. */
export const sourceTag = (source: string) => `source:${encodeTag(source)}`;

export const sourceOfTag = (tag: string) => decodeTag(tag.slice('source:'.length));

export const runTag = (run: string) => `run:${run}`;

/** The run that a tag names, if it names one. */
export const runOfTag = (tag: string): string | undefined => (tag.startsWith(runTag('')) ? tag.slice(runTag('').length) : undefined);

/** The agent that filed a snapshot. */
export const agentTag = (agent: string) => `agent:${agent}`;

export const targetTag = (target: string) => `target:${target}`;

/** Splits `db/postgres:metadb` into the group's part, the kind and the name. */
export function parseSource(source: string): {prefix: string; kind: string; name: string} {
	const colon = source.indexOf(':');
	const kindAt = source.lastIndexOf('/', colon) + 1;
	return {prefix: source.slice(0, kindAt), kind: source.slice(kindAt, colon), name: source.slice(colon + 1)};
}

/**
 * Where a source is in its snapshot: `/<target>/postgres/metadb`, `/<target>/volume/data`, in a group
 * `/<target>/db/postgres/metadb`. A database's name is one path element, whatever it holds.
 */
export function sourcePath(target: string, source: string): string {
	const {prefix, kind, name} = parseSource(source);
	const folder = `/${target}/${prefix}${kind}`;
	if (name.startsWith('/')) {
		return folder + (name === '/' ? '' : encode(name, unsafeInPath));
	}

	const element = encode(name, /[%/\u0000-\u001F\u007F]/g);
	return `${folder}/${/^\.+$/.test(element) ? element.replaceAll('.', '%2E') : element}`;
}

/** What follows the name of a tag, in the first that has that name. */
export const tagValue = (tags: readonly string[], name: string): string | undefined =>
	tags.find(tag => tag.startsWith(`${name}:`))?.slice(name.length + 1);

/** `manifest:<number of sources>`: a point that has lost a snapshot is not listed. */
export const manifestTag = (sources: number) => `manifest:${sources}`;

export const manifestPath = (target: string) => `/${target}/manifest.json`;

/** Where a mount is in a worker: also the path of its snapshot. */
export const mountPath = (target: string, prefix: string, path: string) => sourcePath(target, `${prefix}volume:${path}`);

/** Marks the snapshots of a first pass: they show no moment, and are forgotten after their run. */
export const firstPassTag = 'holdfast-first-pass';

/** Marks the snapshots of what a restore overwrote. They are no restore points. */
export const safetyTag = 'holdfast-safety';
