/** A container's own file system, from outside of it: also where it is stopped or paused. */
import {Readable} from 'node:stream';
import {answered, moving, stallLimitMs, standsStill} from '../../base/patience.ts';
import {type Client, limited} from './client.ts';

/** The engine reports modes as Go does, where the highest bit of 32 says directory. */
const goModeDirectory = 2 ** 31;

export interface Files {
	/** What is at a path. @throws with status 404 when there is nothing */
	stat: (id: string, path: string) => Promise<{isDirectory: boolean; linkTarget: string}>;
	/** A tar stream of a path. */
	archive: (id: string, path: string, signal?: AbortSignal) => Promise<Readable>;
	/** Unpacks a tar stream into a folder. */
	putArchive: (id: string, folder: string, archive: Readable, options: {replacesFolders: boolean}) => Promise<void>;
}

export const files = ({docker}: Client): Files => ({
	async stat(id, path) {
		const response = (await docker.getContainer(id).infoArchive({path, ...limited()})) as {headers: Record<string, string>};
		const header = response.headers['x-docker-container-path-stat'] ?? '';
		const {mode, linkTarget} = JSON.parse(Buffer.from(header, 'base64').toString()) as {mode: number; linkTarget: string};
		return {isDirectory: mode >= goModeDirectory, linkTarget};
	},
	async archive(id, path, abortSignal) {
		const asked = docker.getContainer(id).getArchive({path, ...(abortSignal && {abortSignal})}) as unknown as Promise<Readable>;
		const stream = await answered(`\`${path}\` of a container`, asked, {withinMs: stallLimitMs(), late: each => each.destroy()});
		const archive = Readable.from(moving(stream, `\`${path}\` of a container`), {objectMode: false});
		archive.once('close', () => stream.destroy());
		return archive;
	},
	async putArchive(id, path, archive, {replacesFolders}) {
		const still = new AbortController();
		const end = () => still.abort(standsStill(`what is put to \`${path}\` of a container`));
		let timer = setTimeout(end, stallLimitMs());
		const ticking = async function* () {
			for await (const chunk of archive) {
				clearTimeout(timer);
				timer = setTimeout(end, stallLimitMs());
				yield chunk;
			}
		};
		try {
			await docker.getContainer(id).putArchive(Readable.from(ticking(), {objectMode: false}), {
				path,
				noOverwriteDirNonDir: replacesFolders ? 'false' : 'true',
				abortSignal: still.signal,
			});
		} catch (error) {
			throw still.signal.aborted ? still.signal.reason : error;
		} finally {
			clearTimeout(timer);
		}
	},
});
