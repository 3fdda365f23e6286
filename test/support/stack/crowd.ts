/** Very many targets at once, which need no application: containers that were never started. */
import process from 'node:process';
import {connectEngine} from '../../../docker/engine.ts';
import {ensureImage} from '../images.ts';
import type {Stack} from '../stack.ts';

/** As Compose makes them, each with a volume and a database. @returns removes them */
export async function makeCrowd({project}: Stack, count: number): Promise<() => Promise<void>> {
	const engine = connectEngine(process.env.DOCKER_HOST ?? '/var/run/docker.sock');
	const image = await ensureImage('debian:trixie-slim');
	const made: string[] = [];
	const labels = (n: number) => ({
		'com.docker.compose.project': project,
		'com.docker.compose.service': `s${n}`,
		'com.docker.compose.container-number': '1',
		'com.docker.compose.oneoff': 'False',
		'holdfast.enable': 'true',
		'holdfast.volumes': '/data',
		'holdfast.sqlite': '/data/app.db',
		'holdfast.exclude': 'cache,*.log',
		'holdfast.schedule': `${n % 60} 3 * * *`,
	});
	await Promise.all(
		Array.from({length: count}, async (_, n) => {
			const options = {Image: image, Cmd: ['true'], Labels: labels(n), Volumes: {'/data': {}}};
			made.push(await engine.create(`${project}-s${n}-1`, options));
		}),
	);
	return async () => {
		await Promise.all(made.map(async id => engine.remove(id)));
	};
}

/** `node -e SCRIPT PATH`: asks the API five times, in the agent's container, and prints the milliseconds of each and the last answer. */
const timedApi = `
const token = require('node:fs').readFileSync('/state/api-token', 'utf8').trim();
(async () => {
	const times = [];
	let body;
	for (let round = 0; round < 5; round++) {
		const begun = performance.now();
		const answer = await fetch('http://127.0.0.1:9797' + process.argv[1], {headers: {authorization: 'Bearer ' + token}});
		body = await answer.text();
		times.push(performance.now() - begun);
		if (!answer.ok) throw new Error(answer.status + ' ' + body);
	}
	console.log(JSON.stringify({times, body}));
})();`;

/** @returns milliseconds of five answers of the API to the same question, and the last of them */
export const askOften = async (stack: Stack, path: string): Promise<{times: number[]; body: string}> =>
	JSON.parse(await stack.exec('holdfast', 'node', '-e', timedApi, path));
