/** Whether a server can take what is saved in a point: all that is wrong, before anything is touched. */
import {explain} from '../../../base/errors.ts';
import type {Engine} from '../../../docker/engine.ts';
import {mountOf} from '../../../docker/storage.ts';
import type {RestoringSource} from '../restoring.ts';
import {masterOf} from './ask.ts';
import {type ValkeyDetails, valkeyDetails} from './details.ts';
import type {PlannedServer} from './plan.ts';
import {withValkey} from './server.ts';

/** Nothing is changed. */
export async function checkValkey(
	{container, access, mount, stored}: RestoringSource<PlannedServer>,
	{engine}: {engine: Engine},
): Promise<{problems: string[]}> {
	if (container.state !== 'running') {
		const {name, state} = container;
		return {
			problems: [
				`the server in container \`${name}\`, which must be asked, does not run (${state}): start it; where it cannot load what it has, move that out of its volume first (\`dump.rdb\`, \`appendonlydir\`), so that it starts empty`,
			],
		};
	}

	try {
		const details = valkeyDetails.parse(stored.details);
		return await withValkey(engine, container, {access}, async server => {
			const info = await server.info();
			const {folder, where, software} = server;
			const own = mountOf(folder, container);
			const master = masterOf(info);
			const memory = Number(info.get('maxmemory') ?? 0);
			return {
				problems: [
					...versionProblems(details, {where, software}),
					...(master === undefined
						? []
						: [`the server ${where} is a replica of ${master.address}, from which it would take everything anew: restore it there`]),
					...(info.get('cluster_enabled') === '1'
						? [`the server ${where} is one of a cluster, whose others would not know of it: \`holdfast dump\` gives the file`]
						: []),
					...(own === undefined
						? [
								`\`${folder}\`, where the server ${where} keeps its data, is in no volume: mount one there (docs/valkey.md), or \`holdfast dump\` gives the file`,
							]
						: mount === undefined || own.path !== mount.path
							? [
									`the server ${where} keeps its data in \`${folder}\` now, and kept it in \`${details.folder}\`: give it \`--dir ${details.folder}\` meanwhile`,
								]
							: []),
					...(memory > 0 && details.memoryBytes > memory && info.get('maxmemory_policy') === 'noeviction'
						? [`it took ${details.memoryBytes} bytes of memory, and the server ${where} may take ${memory} (\`maxmemory\`)`]
						: []),
				],
			};
		});
	} catch (error) {
		return {problems: [explain(error)]};
	}
}

/** One reads what an older one of its kind saved, and Valkey what Redis saved up to 7.2. Whether it does is known when its own program has read it. */
export function versionProblems({software}: Pick<ValkeyDetails, 'software'>, server: {where: string; software: string}): string[] {
	const [name = '', version = ''] = software.split(' ');
	const [ownName = '', ownVersion = ''] = server.software.split(' ');
	const [major = 0, minor = 0] = version.split('.').map(Number);
	const [ownMajor = 0, ownMinor = 0] = ownVersion.split('.').map(Number);
	const isOlder = ownMajor < major || (ownMajor === major && ownMinor < minor);
	if (name === ownName) {
		return isOlder ? [`it was saved by ${software}, and the server ${server.where} is older: ${server.software}`] : [];
	}

	return name === 'Redis' && (major < 7 || (major === 7 && minor <= 2))
		? []
		: [`it was saved by ${software}, which the server ${server.where} (${server.software}) does not read`];
}
