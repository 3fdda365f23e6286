/** Files of ours that are read or run as files, not imported. */
import {extname} from 'node:path';
import {fileURLToPath} from 'node:url';

/** Also where image/bundle.mjs makes this a part of something: it puts each part into a folder at the top. */
const top = new URL('../', import.meta.url);

/** @param file from the top, as `agent/api/page/page.css` */
export const shipped = (file: string): string => fileURLToPath(new URL(file, top));

/**
 * The beginning of a command, of which what the program is told is the rest: it is at the same place in every container of Holdfast's image.
 * @param name from the top, as `agent/sources/sqlite/find.program`
 */
export const shippedProgram = (name: `agent/${string}.program`) =>
	['node', '--disable-warning=ExperimentalWarning', shipped(`${name}${extname(import.meta.filename)}`)] as const;
