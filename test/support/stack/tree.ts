/** What a folder in a container holds, so that two of them can be compared: by bytes, not by what a tool shows of them. */
import type {Stack} from '../stack.ts';

export interface Entry {
	/** Relative to the folder; bytes as latin1, so that a name that is not UTF-8 is told from another. */
	name: string;
	/** The type and the permissions. */
	mode: number;
	owner: string;
	/** Milliseconds since 1970; of files. */
	time?: number;
	sha256?: string;
	/** Where a link leads. */
	link?: string;
	/** Names of the same file. */
	links?: number;
}

const walk = `
const fs = require('node:fs'), crypto = require('node:crypto');
const entries = [];
const visit = (folder, prefix) => {
	for (const name of fs.readdirSync(Buffer.from(folder, 'latin1'), 'latin1')) {
		const path = Buffer.from(folder + '/' + name, 'latin1');
		const {mode, uid, gid, mtimeMs, nlink} = fs.lstatSync(path);
		const entry = {name: prefix + name, mode, owner: uid + ':' + gid};
		const kind = mode & fs.constants.S_IFMT;
		if (kind === fs.constants.S_IFREG) {
			entry.time = Math.floor(mtimeMs);
			entry.links = nlink;
			entry.sha256 = crypto.createHash('sha256').update(fs.readFileSync(path)).digest('hex');
		} else if (kind === fs.constants.S_IFLNK) {
			entry.link = fs.readlinkSync(path, 'latin1');
		}
		entries.push(entry);
		if (kind === fs.constants.S_IFDIR) visit(folder + '/' + name, prefix + name + '/');
	}
};
visit(process.argv[1], '');
entries.sort((a, b) => (a.name < b.name ? -1 : 1));
console.log(JSON.stringify(entries));`;

/** The service's image must have Node. */
export const treeOf = async ({exec}: Pick<Stack, 'exec'>, service: string, folder: string): Promise<Entry[]> =>
	JSON.parse(await exec(service, 'node', '-e', walk, folder)) as Entry[];
