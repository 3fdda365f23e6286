/** What the tests on a real engine need, made once before they start. */
import {buildHoldfast} from '../build-image.ts';
import {ensureEngine} from '../engine.ts';
import {ensureImage} from '../images.ts';
import {ensureCompose} from './compose.ts';

export async function prepare(): Promise<void> {
	await ensureEngine();
	await ensureCompose();
	for (const image of [
		'postgres:15',
		'postgres:17',
		'postgres:18',
		'holdfast-test/timescaledb:pg17',
		'holdfast-test/promscale:pg17',
		'holdfast-test/app:latest',
		'holdfast-test/storage:latest',
	]) {
		await ensureImage(image);
	}

	await buildHoldfast();
}
