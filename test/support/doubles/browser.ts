/** A real Chromium in a container of its own, driven over its debugging port. */
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import puppeteer, {type Browser, type Page} from 'puppeteer-core';
import {docker} from '../docker.ts';
import {ensureImage} from '../images.ts';
import {until} from '../until.ts';

/** As a service of a stack. */
export const chromiumService = async () => ({
	image: await ensureImage('holdfast-test/chromium:latest'),
	init: true,
	stop_grace_period: '1s',
	labels: {'holdfast.enable': 'false'},
});

/** The browser in a container that runs. Disconnect it at the end. */
export async function connectBrowser(container: string): Promise<Browser> {
	const address = await docker(['inspect', '--format', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', container]);
	const browserURL = `http://${address}:9222`;
	return until('Chromium to answer', async () => puppeteer.connect({browserURL, defaultViewport: {width: 1200, height: 800}}), {
		timeout: 60_000,
		interval: 300,
	});
}

/** What axe finds on the page as it is now: one line for each place. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
	const axe = await readFile(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
	await page.evaluate(axe);
	return page.evaluate(async () => {
		const {violations} = await (globalThis as unknown as {axe: {run: () => Promise<AxeResults>}}).axe.run();
		return violations.flatMap(({id, nodes}) => nodes.map(({html, failureSummary}) => `${id}: ${html}: ${failureSummary}`));
	});
}

interface AxeResults {
	violations: Array<{id: string; nodes: Array<{html: string; failureSummary?: string}>}>;
}

/** Everything that the page complains of, as it comes. */
export function complaintsOf(page: Page): string[] {
	const complaints: string[] = [];
	page.on('console', message => {
		if (message.type() === 'error' || message.type() === 'warn') {
			complaints.push(message.text());
		}
	});
	page.on('pageerror', error => complaints.push(String(error)));
	return complaints;
}

/** For people to look at: only where `HOLDFAST_SCREENSHOTS` names a folder. */
export async function photograph(page: Page, name: string): Promise<void> {
	if (process.env.HOLDFAST_SCREENSHOTS !== undefined) {
		await writeFile(join(process.env.HOLDFAST_SCREENSHOTS, `${name}.png`), await page.screenshot());
	}
}
