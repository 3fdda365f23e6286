import {createHash} from 'node:crypto';
import {cp, mkdtemp, readdir, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {ExecaError} from 'execa';
import {docker, imageId, imageLabel, tryDocker} from './docker.ts';
import {ensureEngine} from './engine.ts';
import {exclusive} from './machine/exclusive.ts';
import {tryPull} from './machine/pull.ts';
import {debianRecipe, importDebian} from './machine/standin-debian.ts';
import {type Context, nodeContext} from './machine/standin-node.ts';

const folderOfImages = fileURLToPath(new URL('../images/', import.meta.url));
const recipeLabel = 'holdfast-recipe';

/** How to make an image: a Debian release as it is, or a folder of test/images with what its Dockerfile takes as build arguments. */
type Recipe = {suite: string} | FolderRecipe;

type FolderRecipe = {
	folder: string;
	/** Build arguments that name other images of this table. */
	images?: Record<string, string>;
	settings?: Record<string, string>;
	/** What the build needs and cannot be committed. */
	context?: () => Promise<Context>;
};

const postgres = (major: string, release: string, settings: Record<string, string> = {}): Recipe => ({
	folder: 'postgres',
	images: {DEBIAN_IMAGE: `debian:${release}-slim`},
	settings: {PG_MAJOR: major, ...settings},
});

const recipes: Record<string, Recipe> = {
	'debian:bullseye-slim': {suite: 'bullseye'},
	'debian:bookworm-slim': {suite: 'bookworm'},
	'debian:trixie-slim': {suite: 'trixie'},
	'debian:forky-slim': {suite: 'forky'},
	'node:24-trixie-slim': {folder: 'node', images: {DEBIAN_IMAGE: 'debian:trixie-slim'}, context: nodeContext},
	'restic/restic:0.19.1': {folder: 'restic', images: {DEBIAN_IMAGE: 'debian:forky-slim'}},
	'postgres:13': postgres('13', 'bullseye'),
	'postgres:15': postgres('15', 'bookworm'),
	'postgres:17': postgres('17', 'trixie'),
	// From 18 on the official image keeps its data elsewhere, and refuses to start with a volume at the old place
	'postgres:18': postgres('18', 'forky', {PGDATA: '/var/lib/postgresql/18/docker', DATA_VOLUME: '/var/lib/postgresql'}),
	'mariadb:10.11': {folder: 'mariadb', images: {DEBIAN_IMAGE: 'debian:bookworm-slim'}},
	'mariadb:11.8': {folder: 'mariadb', images: {DEBIAN_IMAGE: 'debian:trixie-slim'}},
	'valkey/valkey:8': {folder: 'valkey', images: {DEBIAN_IMAGE: 'debian:trixie-slim'}, settings: {FLAVOUR: 'valkey'}},
	'redis:7': {folder: 'valkey', images: {DEBIAN_IMAGE: 'debian:bookworm-slim'}, settings: {FLAVOUR: 'redis'}},
	// As compose.example.yml names them
	'prom/prometheus:v3.5.0': {folder: 'prometheus', images: {DEBIAN_IMAGE: 'debian:trixie-slim'}},
	'prom/alertmanager:v0.28.1': {folder: 'alertmanager', images: {DEBIAN_IMAGE: 'debian:trixie-slim'}},
	'holdfast-test/timescaledb:pg17': {folder: 'timescaledb', images: {POSTGRES_IMAGE: 'postgres:17'}},
	'holdfast-test/extended:pg17': {folder: 'extended', images: {POSTGRES_IMAGE: 'postgres:17'}},
	'holdfast-test/german:pg17': {folder: 'german', images: {POSTGRES_IMAGE: 'postgres:17'}},
	'holdfast-test/promscale:pg17': {folder: 'promscale', images: {TIMESCALEDB_IMAGE: 'holdfast-test/timescaledb:pg17'}},
	'holdfast-test/app:latest': {folder: 'app', images: {DEBIAN_IMAGE: 'debian:trixie-slim', NODE_IMAGE: 'node:24-trixie-slim'}},
	'holdfast-test/slapd:latest': {folder: 'slapd', images: {DEBIAN_IMAGE: 'debian:trixie-slim'}},
	'holdfast-test/squash:latest': {folder: 'squash', images: {DEBIAN_IMAGE: 'debian:trixie-slim'}},
	'holdfast-test/everywhere:latest': {folder: 'everywhere', images: {APP_IMAGE: 'holdfast-test/app:latest'}},
	'holdfast-test/storage:latest': {folder: 'storage', images: {DEBIAN_IMAGE: 'debian:trixie-slim'}},
	'holdfast-test/chromium:latest': {folder: 'chromium', images: {DEBIAN_IMAGE: 'debian:trixie-slim'}},
};

/** Names that {@link ensureImage} knows. */
const knownImages: readonly string[] = Object.keys(recipes);

const filesBelow = async (folder: string): Promise<string[]> => {
	const entries = await readdir(folder, {recursive: true, withFileTypes: true});
	return entries
		.filter(entry => entry.isFile())
		.map(entry => path.join(entry.parentPath, entry.name))
		.sort();
};

const hash = (...parts: ReadonlyArray<string | Uint8Array>): string => {
	const digest = createHash('sha256');
	for (const part of parts) {
		digest.update(part).update('\0');
	}

	return digest.digest('hex').slice(0, 16);
};

const versionOfFolder = async (folder: string): Promise<string> => {
	const files = await filesBelow(folder);
	return hash(...(await Promise.all(files.map(async file => `${path.relative(folder, file)}\n${await readFile(file, 'utf8')}`))));
};

/** The end of what the build printed is where the reason stands; a stack and a cause of this program say nothing of it. */
class BuildError extends Error {
	constructor(tag: string, cause: unknown) {
		const printed = cause instanceof ExecaError ? `${cause.stderr ?? ''}`.trimEnd().split('\n').slice(-15) : [String(cause)];
		super(
			`the image ${tag} could not be built. The build's last lines:\n${printed.map(line => `  | ${line}`).join('\n')}\nIs the package archive within reach of the engine, and is there room (docker system df)? Then run this again.`,
		);
		this.name = 'BuildError';
		this.stack = `${this.name}: ${this.message}`;
	}
}

/** Builds `folder` (a Dockerfile and its context) as `tag`. What the build prints is shown only when it fails. */
export const buildImage = async (
	folder: string,
	tag: string,
	{settings = {}, labels = {}}: {settings?: Record<string, string>; labels?: Record<string, string>} = {},
): Promise<void> => {
	const pairs = (option: string, values: Record<string, string>) =>
		Object.entries(values).flatMap(([name, value]) => [option, `${name}=${value}`]);
	const built = docker(
		['build', '--quiet', '--force-rm', '--tag', tag, ...pairs('--build-arg', settings), ...pairs('--label', labels), folder],
		{
			timeout: 15 * 60_000,
		},
	);
	await built.catch((error: unknown) => {
		throw new BuildError(tag, error);
	});
};

const withContext = async (folder: string, context: Context, build: (folder: string) => Promise<void>): Promise<void> => {
	const copy = await mkdtemp(path.join(tmpdir(), 'holdfast-image-'));
	try {
		await cp(folder, copy, {recursive: true});
		await context.fill(copy);
		await build(copy);
	} finally {
		await rm(copy, {recursive: true, force: true});
	}
};

// Builds where the image that is there was made by another version of its recipe
const refresh = async (tag: string, version: string, build: () => Promise<void>): Promise<string> => {
	if ((await imageLabel(tag, recipeLabel)) === version) {
		return tag;
	}

	const previous = await imageId(tag);
	const started = performance.now();
	await build();
	console.error(`holdfast: made the image ${tag} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
	if (previous !== undefined) {
		// Containers may still need it
		await tryDocker(['image', 'rm', previous]);
	}

	return tag;
};

const makeFromDebian = async (suite: string, tag: string): Promise<string> => {
	const version = hash(...(await debianRecipe(suite)));
	return refresh(tag, version, () => importDebian(suite, tag, `${recipeLabel}=${version}`));
};

const makeFromFolder = async (recipe: FolderRecipe, tag: string): Promise<string> => {
	const settings = {...recipe.settings};
	const bases: string[] = [];
	for (const [argument, name] of Object.entries(recipe.images ?? {})) {
		const image = await ensureImage(name);
		settings[argument] = image;
		bases.push(`${await imageId(image)}`);
	}

	const folder = path.join(folderOfImages, recipe.folder);
	const context = await recipe.context?.();
	const version = hash(await versionOfFolder(folder), JSON.stringify(settings), ...bases, context?.version ?? '');
	const build = (from: string) => buildImage(from, tag, {settings, labels: {[recipeLabel]: version}});
	return refresh(tag, version, () => (context ? withContext(folder, context, build) : build(folder)));
};

const provide = async (name: string): Promise<string> => {
	const recipe = recipes[name];
	if (!recipe) {
		throw new Error(`No recipe for the image ${name}; test/support/images.ts knows ${knownImages.join(', ')}`);
	}

	await ensureEngine();
	const isPublic = !name.startsWith('holdfast-');
	if (isPublic && ((await imageId(name)) !== undefined || (await tryPull(name)))) {
		return name;
	}

	const tag = isPublic ? `holdfast-standin/${name}` : name;
	return exclusive(tag, () => ('suite' in recipe ? makeFromDebian(recipe.suite, tag) : makeFromFolder(recipe, tag)));
};

const provided = new Map<string, Promise<string>>();

/**
 * Makes sure that the engine has an image, and returns the name to use for it: the image itself where it is there or can be pulled, else a
 * stand-in made of Debian's packages. Images of our own (`holdfast-test/…`) are built from test/images.
 */
export const ensureImage = (name: string): Promise<string> => {
	const known = provided.get(name);
	if (known) {
		return known;
	}

	const promise = provide(name);
	provided.set(name, promise);
	promise.catch(() => provided.delete(name));
	return promise;
};
