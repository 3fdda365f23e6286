/** The status page in a real Chromium. */

import {randomBytes} from 'node:crypto';
import test, {type ExecutionContext} from 'ava';
import type {Browser, Page} from 'puppeteer-core';
import {docker} from '../../support/docker.ts';
import {accessibilityProblems, chromiumService, complaintsOf, connectBrowser, photograph} from '../../support/doubles/browser.ts';
import {createFakeAgent, statusView, targetView} from '../../support/doubles/fake-agent.ts';
import {serveAgent} from '../../support/doubles/server.ts';
import {ensureImage} from '../../support/images.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const token = 'correct-horse-battery-staple';

async function signIn(page: Page, url: string, given = token): Promise<void> {
	await page.goto(url);
	await page.type('#token', given);
	await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
}

const textOf = async (page: Page, selector: string): Promise<string> =>
	page.$eval(selector, element => element.textContent ?? '').catch(() => '');

const day = 86_400_000;

/** A fleet with a past: what a person sees after some weeks. */
function createFleet() {
	const agent = createFakeAgent();
	const now = Date.now();
	const at = (ago: number) => new Date(now - ago).toISOString();
	const names = ['shop/db', 'shop/web', 'wiki/app', 'cloud/files'];
	const sources = [
		['postgres:shop', 'postgres:customers'],
		['volume:/srv/uploads'],
		['sqlite:/data/wiki.db', 'volume:/data'],
		['volume:/var/www/data'],
	];
	agent.has.targets = names.map((name, index) => targetView(name, {sources: sources[index] ?? []}));
	agent.has.status = names.map((name, index) =>
		statusView(name, {
			lastSuccess: index === 3 ? {run: 'r', at: at(2.2 * day)} : {run: 'r', at: at(5.4 * 3_600_000)},
			nextRun: at(-18.6 * 3_600_000),
			lastDrillSuccess: {run: 'd', point: 'p', at: at((index + 1.3) * day)},
			lastRun: {
				run: '20261121t030000-3f9a2c1',
				outcome: index === 3 ? 'failed' : 'success',
				startedAt: at(5.4 * 3_600_000),
				durationSeconds: 40,
				quiesceSeconds: 0.3,
				...(index === 3 ? {error: 'the repository is full: no space left on device'} : {}),
			},
		}),
	);
	agent.has.scheduled = names.map(target => ({operation: 'backup', target, nextRun: null, expectedIntervalSeconds: 86_400, since: 0}));
	agent.has.unprotected = [{container: 'shop-cache-1', storage: 'volume "shop_cache"', path: '/data'}];
	const past: ReturnType<typeof agent.runs> = [];
	for (let days = 24; days >= 0; days--) {
		for (const [index, target] of names.entries()) {
			const failed = index === 3 && days < 2;
			const wave = 1 + 0.3 * Math.sin(days * (index + 2));
			const bytes = (index + 1) * 180e6 * (1 + (24 - days) / 40);
			const startedAt = at(days * day + 5.4 * 3_600_000);
			const result = {
				run: `r${days}-${index}`,
				target,
				outcome: failed ? ('failed' as const) : ('success' as const),
				point: null,
				startedAt,
				durationSeconds: 31 * wave,
				quiesceSeconds: failed ? 0 : 0.22 * wave * (index + 0.3),
				sources: failed ? [] : [{source: 's', outcome: 'success' as const, snapshot: 's', bytes, addedBytes: bytes / 50}],
				...(failed ? {error: 'the repository is full: no space left on device'} : {}),
			};
			past.unshift({
				run: result.run,
				target,
				operation: 'backup',
				trigger: 'schedule',
				state: 'finished',
				outcome: result.outcome,
				startedAt,
				durationSeconds: result.durationSeconds,
				result,
			});
		}
	}

	const real = agent.runs;
	agent.runs = ({target, limit = 100} = {}) =>
		[...real(target === undefined ? {} : {target}), ...past.filter(run => target === undefined || run.target === target)].slice(0, limit);
	return agent;
}

/** `host`: where it finds this machine. */
async function startChromium(t: ExecutionContext): Promise<{browser: Browser; host: string}> {
	const {image} = await chromiumService();
	const name = `hf-test-chromium-${randomBytes(4).toString('hex')}`;
	await docker(['run', '--detach', '--init', '--rm', '--name', name, '--label', 'holdfast-test=chromium', image]);
	t.teardown(async () => docker(['rm', '--force', name]));
	const browser = await connectBrowser(name);
	t.teardown(async () => browser.disconnect());
	return {browser, host: await docker(['inspect', '--format', '{{.NetworkSettings.Gateway}}', name])};
}

test.serial('light and dark, wide and narrow: accessible, whole, and without a complaint', async t => {
	const agent = createFleet();
	const server = await serveAgent(t, agent, {token, listen: {port: 0}});
	const {browser, host} = await startChromium(t);
	const url = server.url.replace('127.0.0.1', host);
	const page = await browser.newPage();
	const complaints = complaintsOf(page);
	const asked = new Set<string>();
	page.on('request', request => asked.add(new URL(request.url()).origin));
	await page.setViewport({width: 1200, height: 1120});
	await page.goto(url);
	for (const scheme of ['light', 'dark']) {
		await page.emulateMediaFeatures([{name: 'prefers-color-scheme', value: scheme}]);
		t.deepEqual(await accessibilityProblems(page), [], `the form, ${scheme}`);
	}

	await photograph(page, 'sign-in');
	await signIn(page, url);
	await until('the connection', async () => (await textOf(page, '#connection')) === 'Live');
	await page.emulateMediaFeatures([{name: 'prefers-color-scheme', value: 'light'}]);
	const {run} = await agent.backup('wiki/app', 'cli');
	agent.tell(run, {type: 'step', step: 'store', subject: 'volume:/data'});
	agent.tell(run, {type: 'progress', source: 'volume:/data', bytes: 310e6, totalBytes: 540e6});
	await until('the progress to be shown', async () => (await textOf(page, '[data-amount]')) === '310 MB of 540 MB');
	t.is(await textOf(page, '[data-step]'), 'store volume:/data');
	for (const scheme of ['light', 'dark']) {
		await page.emulateMediaFeatures([{name: 'prefers-color-scheme', value: scheme}]);
		t.deepEqual(await accessibilityProblems(page), [], scheme);
		await photograph(page, scheme);
	}

	await page.emulateMediaFeatures([{name: 'prefers-color-scheme', value: 'light'}]);
	await page.setViewport({width: 1120, height: 800});
	await photograph(page, 'status-page');
	await page.setViewport({width: 360, height: 800});
	t.true(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), 'a phone need not be moved sideways');
	t.deepEqual(await accessibilityProblems(page), [], 'narrow');
	await photograph(page, 'narrow');
	await page.keyboard.press('Tab');
	t.is(await page.evaluate('document.activeElement.textContent'), 'Skip to the targets');
	await page.keyboard.press('Tab');
	t.is(await page.evaluate('document.activeElement.textContent'), 'Sign out');
	t.deepEqual([...asked], [new URL(url).origin], 'nothing is asked for elsewhere');
	t.deepEqual(complaints, []);
	await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
	t.is(await textOf(page, 'label'), 'API token');
});

/**
 * Stands between the browser and the agent. The signal USR2 cuts all connections and refuses others, or lets them come again. (A container that
 * is stopped for that may get another address, because a worker has taken its own meanwhile, and the browser goes on asking at the old one.)
 */
const relay = `
const net = require('node:net');
const open = new Set();
const server = net.createServer(from => {
	const to = net.connect(9797, 'holdfast');
	from.pipe(to).pipe(from);
	for (const end of [from, to]) {
		open.add(end);
		end.on('close', () => open.delete(end));
		end.on('error', () => { from.destroy(); to.destroy(); });
	}
});
const listen = () => server.listen(80);
process.on('SIGUSR2', () => {
	if (!server.listening) return listen();
	server.close();
	for (const end of open) end.destroy();
});
listen();
setInterval(() => {}, 2 ** 30); // Lives on while it listens to nobody`;

test.serial('a person signs in, sees a run to its end, and a lost connection comes back', async t => {
	const app = await ensureImage('holdfast-test/app:latest');
	const stack = await startStack(t, {
		holdfast: {environment: {HOLDFAST_API_TOKEN: token}},
		services: {
			chromium: await chromiumService(),
			relay: {image: app, entrypoint: ['node', '-e', relay], init: true, stop_grace_period: '1s', labels: {'holdfast.enable': 'false'}},
			app: {
				image: app,
				entrypoint: ['sleep', '100000'],
				volumes: ['data:/data'],
				init: true,
				stop_grace_period: '1s',
				labels: {'holdfast.enable': 'true', 'holdfast.before': 'sleep 4'},
			},
		},
		volumes: ['data'],
	});
	const browser = await connectBrowser(stack.container('chromium'));
	t.teardown(async () => browser.disconnect());
	const page = await browser.newPage();
	await signIn(page, 'http://relay/', 'a-wrong-token-for-sure');
	t.is(await textOf(page, '#wrong'), 'That is not the token.');
	const complaints = complaintsOf(page);
	await signIn(page, 'http://relay/');
	t.regex(await textOf(page, '.card'), new RegExp(`${stack.project}/app.*Not backed up yet`, 's'));
	t.deepEqual(
		(await page.cookies()).map(({httpOnly, sameSite, value}) => ({httpOnly, sameSite, isToken: value.includes(token)})),
		[{httpOnly: true, sameSite: 'Strict', isToken: false}],
	);

	const target = `${stack.project}/app`;
	const seen = new Set<string>();
	const start = async () => stack.api('POST', '/api/v1/backup', {targets: [target]});
	const {status} = await start();
	t.is(status, 202);
	await until(
		'the run to be shown to its end',
		async () => {
			seen.add(await textOf(page, '[data-step]'));
			return (await textOf(page, '#runs')).includes('success') && (await page.$('[data-run]')) === null;
		},
		{timeout: 60_000},
	);
	t.true(seen.has('before-hooks') || [...seen].some(step => step.startsWith('before-hooks')), [...seen].join(', '));
	t.true(seen.size > 3, [...seen].join(', '));
	t.regex(await textOf(page, '.card'), /Protected/);
	t.deepEqual(complaints, []);

	await stack.compose('kill', '--signal', 'USR2', 'relay');
	await until('the loss to be told', async () => (await textOf(page, '#connection')).startsWith('Connection lost'));
	await start();
	await stack.compose('kill', '--signal', 'USR2', 'relay');
	await until('the connection', async () => (await textOf(page, '#connection')) === 'Live');
	await until('the run that began meanwhile, or its end', async () => (await page.$$('#runs tbody tr')).length === 2, {timeout: 60_000});
	t.deepEqual(
		complaints.filter(text => !/net::ERR_|Failed to load resource/.test(text)),
		[],
	);

	await stack.compose('restart', 'holdfast');
	await until('the form, as sessions do not outlive the agent', async () => (await textOf(page, 'label')) === 'API token', {
		timeout: 60_000,
	});
});
