/**
 * What the image runs, made of the sources: the agent, its bot and the programs of workers, each with all that it imports. Nothing there strips types,
 * looks for packages or reads a thousand small files, and what nobody imports is left out.
 *
 *     node image/bundle.mjs FOLDER
 *
 * It is written in lines and with its names, and beside each file lies its map, which is read by base/source-lines.ts alone.
 */
import {copyFileSync, globSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {isBuiltin} from 'node:module';
import {dirname, join, relative} from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';

const top = fileURLToPath(new URL('../', import.meta.url));

/** Nothing is written there: from there the maps name the sources, wherever the bundle goes. */
const inside = join(top, 'bundle');

/** Each in a folder at the top: base/shipped.ts counts on it. */
const processes = ['agent/main.ts', 'agent/daemon.ts', 'bot/bot.ts', 'bot/server.ts'];

const files = ['package.json', 'LICENSE', 'agent/api/page/page.css', 'agent/api/page/page.js', 'agent/api/page/icon.svg'];

/** The licences of all that is in the bundle, in its folder. */
const licences = 'THIRD-PARTY-LICENSES';

/** What dockerode can do and nobody here uses: sessions of BuildKit and its progress, and engines behind SSH. */
/** @type {import('esbuild').Plugin} */
const unused = {
	name: 'unused',
	setup({onResolve, onLoad}) {
		onResolve({filter: /^\.\/(?:session|buildkit|ssh)$/}, ({importer}) =>
			/\/(?:dockerode|docker-modem)\/lib\//.test(importer) ? {path: 'nothing', namespace: 'unused'} : undefined,
		);
		onResolve({filter: /\/unused\.ts$/}, () => ({path: 'nothing', namespace: 'unused'}));
		onLoad({filter: /./, namespace: 'unused'}, () => ({contents: ''}));
	},
};

/** `createRequire(import.meta.url)('yaml')` is a package that is loaded where it is needed, at once: it gets a file of its own. */
/** @type {import('esbuild').Plugin} */
const apart = {
	name: 'apart',
	setup({onLoad}) {
		onLoad({filter: /\/agent\/config\/file\.ts$/}, ({path}) => ({
			loader: 'ts',
			contents: readFileSync(path, 'utf8').replace(
				"createRequire(import.meta.url)('yaml')",
				"createRequire(import.meta.url)('../packages/yaml.cjs')",
			),
		}));
	},
};

/**
 * Node hands out a module of its own by `require` as it is; an `import` touches every name of it, also those that load what nobody asked for: with
 * `http` all of `fetch` and WebSocket, with `tls` every root certificate, with `crypto` that of browsers. 10 MB in an agent that uses none of them.
 */
/** @type {import('esbuild').Plugin} */
const untouched = {
	name: 'untouched',
	setup({onResolve, onLoad}) {
		onResolve({filter: /^(?:node:)?[a-z]\w*(?:\/\w+)?$/}, ({kind, path}) =>
			kind === 'import-statement' && isBuiltin(path) ? {path, namespace: 'untouched'} : undefined,
		);
		onLoad({filter: /./, namespace: 'untouched'}, ({path}) => ({contents: `module.exports = require('${path}')`}));
	},
};

const common = {
	absWorkingDir: top,
	write: false,
	outbase: top,
	bundle: true,
	platform: 'node',
	format: 'esm',
	target: 'node24',
	minifyWhitespace: true,
	minifySyntax: true,
	lineLimit: 200,
	sourcemap: 'external',
	sourcesContent: false,
	legalComments: 'none',
	metafile: true,
	logLevel: 'warning',
	// One of it, for cron-parser and for base/cron.ts
	alias: {luxon: join(top, 'node_modules/luxon/build/node/luxon.js')},
	plugins: [unused, apart, untouched],
	// Packages that are CommonJS ask for Node's own modules in this way
	banner: {js: "import {createRequire as createBundledRequire} from 'node:module'; const require = createBundledRequire(import.meta.url);"},
};

async function bundle(folder) {
	const made = await Promise.all([
		build({...common, outdir: inside, entryPoints: processes, splitting: true, chunkNames: 'parts/[name]-[hash]'}),
		build({...common, outdir: inside, entryPoints: globSync('agent/sources/**/*.program.ts', {cwd: top})}),
		build({
			...common,
			outfile: join(inside, 'packages/yaml.cjs'),
			stdin: {contents: "module.exports = require('yaml')", resolveDir: top},
			format: 'cjs',
			banner: {},
		}),
	]);
	const place = file => {
		const path = join(folder, file);
		mkdirSync(dirname(path), {recursive: true});
		return path;
	};
	for (const {path, contents} of made.flatMap(({outputFiles}) => outputFiles)) {
		writeFileSync(place(relative(inside, path)), contents);
	}

	for (const file of files) {
		copyFileSync(join(top, file), place(file));
	}

	const packages = [...new Set(made.flatMap(({metafile}) => packagesOf(metafile)))].sort();
	writeFileSync(join(folder, licences), packages.map(licenceOf).join('\n'));
}

const packagesOf = ({inputs}) => Object.keys(inputs).flatMap(path => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []);

/** @param folder of a package. @throws where nothing there says under what it may be passed on */
function licenceOf(folder) {
	const {name, version, license} = JSON.parse(readFileSync(join(top, folder, 'package.json'), 'utf8'));
	const texts = readdirSync(join(top, folder))
		.filter(file => /^(?:licen[cs]e|notice|copying)/i.test(file))
		.map(file => readFileSync(join(top, folder, file), 'utf8').trim());
	if (license === undefined && texts.length === 0) {
		throw new Error(`nothing in \`${folder}\` says under which licence it is`);
	}

	return `==== ${name} ${version}: ${typeof license === 'string' ? license : 'see below'}\n\n${texts.join('\n\n')}\n`;
}

await bundle(process.argv[2] ?? 'dist');
