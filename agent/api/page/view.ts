/** The status page: what the agent knows, for people. Read-only. */

import {html} from 'hono/html';
import {label} from '../../../base/label.ts';
import {type BackupResult, resultOf} from '../../../base/results.ts';
import type {RunView} from '../../../base/shapes/runs.ts';
import type {Overview, TargetOverview} from '../../../base/shapes/targets.ts';
import {duration, moment, size, when} from '../../../base/units.ts';
import {type Bar, chart} from './chart.ts';
import {type Attention, attentionTo, standingOf, standingWords} from './judge.ts';
import {type Html, layout} from './layout.ts';

export interface Shown {
	version: string;
	now: number;
	/** Undefined while the engine does not answer. */
	overview: Overview | undefined;
	/** What the agent says of its own health. */
	problems: readonly string[];
	/** Newest first. */
	runs: readonly RunView[];
	/** Finished backups of each target, newest first. */
	history: ReadonlyMap<string, readonly RunView[]>;
}

export const statusPage = (shown: Shown): Html =>
	layout(
		'Holdfast',
		html`<a class="skip" href="#targets">Skip to the targets</a>
<header>
<h1>Holdfast</h1>
<p id="connection" role="status" aria-live="polite"></p>
<form method="post" action="/sign-out"><button type="submit">Sign out</button></form>
</header>
<main id="live" data-page="status">
${summary(shown)}
${attention(shown)}
${underWay(shown)}
${targets(shown)}
${unprotected(shown)}
${recent(shown)}
</main>
<footer>Version ${shown.version}. This page only shows; commands are for <code>holdfast</code> and Slack.</footer>`,
		{script: true},
	);

function allAttention({overview, problems}: Shown): Attention[] {
	const own = problems.map(message => ({subject: 'Holdfast', message, hint: 'holdfast doctor'}));
	return [...own, ...(overview === undefined ? [] : attentionTo(overview))];
}

function summary(shown: Shown): Html {
	const wrong = allAttention(shown).length;
	const count = shown.overview?.targets.length ?? 0;
	const things = count === 1 ? '1 target' : `${count} targets`;
	return wrong === 0
		? html`<p id="summary" class="summary good">${things}, nothing to do.</p>`
		: html`<p id="summary" class="summary bad">${things}, ${wrong === 1 ? 'one thing needs' : `${wrong} things need`} attention.</p>`;
}

function attention(shown: Shown): Html {
	const list = allAttention(shown);
	return list.length === 0
		? html``
		: html`<section id="attention" aria-labelledby="attention-title">
<h2 id="attention-title">To do</h2>
<ul class="attention">${list.map(
				({subject, message, hint}) => html`<li><strong>${subject}</strong>: ${message}${hint ? html` <code>${hint}</code>` : ''}</li>`,
			)}</ul>
</section>`;
}

function underWay({runs, now}: Shown): Html {
	const live = runs.filter(({state}) => state !== 'finished');
	return html`<section id="under-way" aria-labelledby="under-way-title"${live.length === 0 ? html` hidden` : ''}>
<h2 id="under-way-title">Under way</h2>
<ul class="live">${live.map(
		({run, operation, target, state, startedAt}) => html`<li data-run="${run}">
<span class="name">${operation} of ${target}</span>
<span class="step" data-step>${state === 'queued' ? 'waiting for its turn' : 'running'}</span>
<progress aria-label="Progress of the ${operation} of ${target}" data-progress></progress>
<span class="amount" data-amount></span>
<span class="since">${timeOf(startedAt, now)}</span>
</li>`,
	)}</ul>
</section>`;
}

function targets(shown: Shown): Html {
	const {overview, now} = shown;
	return html`<section id="targets" aria-labelledby="targets-title" tabindex="-1">
<h2 id="targets-title">Targets</h2>
${
	overview === undefined
		? html`<p>The engine does not answer, so the targets are not known.</p>`
		: overview.targets.length === 0
			? html`<p>None yet: label a service with <code>${label('enable')}=true</code>.</p>`
			: html`<div class="cards">${overview.targets.map(target => card(target, shown))}</div>`
}
${(overview?.moved ?? []).map(({message}) => html`<p>${message}.</p>`)}
${(overview?.adopted ?? []).map(({from, until}) => html`<p>Taken over: what <code>${from}</code> had filed until ${timeOf(until, now)}.</p>`)}
</section>`;
}

function card(target: TargetOverview, {now, history}: Shown): Html {
	const {view, status} = target;
	const standing = standingOf(target);
	const past = [...(history.get(view.target) ?? [])].reverse();
	return html`<article class="card ${standing}">
<h3>${view.target}</h3>
<p class="badge">${standingWords[standing]}</p>
<dl>
<dt>Last point</dt><dd>${lastPoint(status, now)}</dd>
<dt>Verified</dt><dd>${status.lastDrillSuccess === null ? 'not yet' : timeOf(status.lastDrillSuccess.at, now)}</dd>
<dt>Next run</dt><dd>${status.nextRun === null ? 'none' : timeOf(status.nextRun, now)}</dd>
<dt>Sources</dt><dd>${view.sources.join(', ') || 'none'}</dd>
${(status.formerNames ?? []).map(name => html`<dt>Moved from</dt><dd>${name}</dd>`)}
</dl>
${graph('Outage', past, ({quiesceSeconds}) => quiesceSeconds, duration)}
${graph('Size', past, ({sources}) => sources.reduce((sum, {bytes}) => sum + bytes, 0), size)}
</article>`;
}

const lastPoint = ({lastSuccess, newestPoint}: TargetOverview['status'], now: number) =>
	lastSuccess
		? timeOf(lastSuccess.at, now)
		: newestPoint
			? html`${timeOf(newestPoint.at, now)}${newestPoint.adopted ? ', adopted' : ''}`
			: 'never';

function graph(title: string, past: readonly RunView[], measure: (result: BackupResult) => number, write: (value: number) => string): Html {
	const results = past.map(run => resultOf('backup', run)).filter(result => result !== null);
	const last = results.findLast(({outcome}) => outcome === 'success');
	if (last === undefined) {
		return html``;
	}

	const bars: Bar[] = results.map(result => ({
		value: measure(result),
		title: `${moment(result.startedAt)}: ${result.outcome === 'success' ? write(measure(result)) : result.outcome}`,
		isBad: result.outcome !== 'success',
	}));
	const largest = Math.max(...bars.map(({value}) => value));
	return html`<figure>
<figcaption>${title} <strong>${write(measure(last))}</strong></figcaption>
${chart(bars, `${title} of the last ${Math.min(bars.length, 30)} backups, at most ${write(largest)}`)}
</figure>`;
}

function unprotected({overview}: Shown): Html {
	const list = overview?.unprotected ?? [];
	return list.length === 0
		? html``
		: html`<section id="unprotected" aria-labelledby="unprotected-title">
<h2 id="unprotected-title">In no backup</h2>
<ul>${list.map(
				({container, storage, path, server, instead}) =>
					html`<li><strong>${storage}</strong> at <code>${path}</code>, written by ${container}${
						server === undefined
							? ''
							: html` (${server.title}, by ${server.by}: <code>${Object.keys(server.labels)
									.filter(name => name !== 'volumes')
									.map(name => label(name))
									.join(' ')}</code>)`
					}${instead === undefined ? '' : html` (of its service ${instead} is backed up)`}</li>`,
			)}</ul>
<p class="hint">Label the service with <code>${label('enable')}=true</code>; or with <code>${label('enable')}=false</code> when it is meant so. <code>holdfast labels PROJECT</code> prints the labels of a whole project.</p>
</section>`;
}

function recent({runs, now}: Shown): Html {
	const finished = runs.filter(({state}) => state === 'finished').slice(0, 20);
	return finished.length === 0
		? html``
		: html`<section id="runs" aria-labelledby="runs-title">
<h2 id="runs-title">Last runs</h2>
<table>
<thead><tr><th scope="col">Run</th><th scope="col">Outcome</th><th scope="col">When</th><th scope="col">Took</th><th scope="col">Asked by</th></tr></thead>
<tbody>${finished.map(
				run => html`<tr>
<td>${run.operation} of ${run.target}${run.result?.error === undefined ? '' : html`<span class="error">${run.result.error}</span>`}</td>
<td><span class="outcome ${run.outcome ?? ''}">${run.outcome}</span></td>
<td>${timeOf(run.startedAt, now)}</td>
<td>${run.durationSeconds === null ? '–' : duration(run.durationSeconds)}</td>
<td>${run.trigger}</td>
</tr>`,
			)}</tbody>
</table>
</section>`;
}

const timeOf = (iso: string, now: number): Html => html`<time datetime="${iso}" title="${moment(iso)}">${when(iso, now)}</time>`;
