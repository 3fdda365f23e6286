/** Where something went wrong, as a person finds it in the sources. */
import {readFileSync} from 'node:fs';
import {SourceMap} from 'node:module';
import {fileURLToPath} from 'node:url';

const place = /(?<file>file:\/\/\/[^\s()]+\.js):(?<line>\d+):(?<column>\d+)/g;

/** The maps that image/bundle.mjs writes are megabytes: they are read here, when they are needed, and by nobody else. */
export function inSources(stack: string): string {
	const maps = new Map<string, SourceMap | undefined>();
	return stack.replaceAll(place, (whole, file: string, line: string, column: string) => {
		if (!maps.has(file)) {
			maps.set(file, mapOf(file));
		}

		const origin = maps.get(file)?.findOrigin(Number(line), Number(column));
		return origin !== undefined && 'fileName' in origin
			? `${origin.fileName.replace(/^(?:\.\.\/)+/, '')}:${origin.lineNumber}:${origin.columnNumber}`
			: whole;
	});
}

function mapOf(file: string): SourceMap | undefined {
	try {
		return new SourceMap(JSON.parse(readFileSync(`${fileURLToPath(file)}.map`, 'utf8')));
	} catch {
		return undefined;
	}
}
