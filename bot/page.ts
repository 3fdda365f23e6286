/** Every host on one page: what the bot knows of its agents, for who signed in. Read-only. */
import {html} from 'hono/html';
import type {HtmlEscapedString} from 'hono/utils/html';
import {remarksOn} from '../agent/api/fleet.ts';
import {layout} from '../agent/api/page/layout.ts';
import {newestPointOf, presentOf} from '../base/present.ts';
import type {HostView, StatusView} from '../base/shapes/targets.ts';
import {size, when} from '../base/units.ts';

type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

export const fleetPage = (hosts: readonly HostView[], now: number): Html =>
	layout(
		'Hosts – Holdfast',
		html`<header class="top">
<h1>Holdfast</h1>
<form method="post" action="/sign-out"><button type="submit">Sign out</button></form>
</header>
<main>
<p>${summaryOf(hosts)} · as of ${new Date(now).toISOString()} · <a href="/">look again</a></p>
${remarksOn(hosts).map(({host, text}) => html`<p class="wrong">${host}: ${text}.</p>`)}
${hosts.map(host => section(host, now))}
</main>`,
	);

export function summaryOf(hosts: readonly HostView[]): string {
	const sum = (part: 'late' | 'gone' | 'problems' | 'bytes') => hosts.reduce((total, view) => total + view[part], 0);
	const targets = hosts.reduce((total, view) => total + view.targets.length, 0);
	const silent = hosts.filter(({error}) => error !== undefined).length;
	return `${hosts.length} hosts, ${silent} of them without an answer; ${targets} targets, ${size(sum('bytes'))}; ${sum('late')} late, ${sum('gone')} gone, ${sum('problems')} with problems`;
}

const section = ({host, version, error, targets}: HostView, now: number): Html => html`<section>
<h2>${host}${version === undefined ? '' : html` <small>${version}</small>`}</h2>
${error === undefined ? '' : html`<p class="wrong" role="alert">It does not answer: ${error}</p>`}
${
	targets.length === 0
		? html`<p>${error === undefined ? 'No targets.' : ''}</p>`
		: html`<table>
<thead><tr><th scope="col">Target</th><th scope="col">Last success</th><th scope="col">Size</th><th scope="col">Last drill</th><th scope="col">Now</th></tr></thead>
<tbody>${targets.map(status => row(status, now))}</tbody>
</table>`
}
</section>`;

function row(status: StatusView, now: number): Html {
	const {target, lastSuccess, late, lastDrill, problems} = status;
	const present = presentOf(status, {now, problems: problems.map(({message}) => message).join('; ')});
	return html`<tr>
<th scope="row">${target}</th>
<td>${newestPointOf(status, now) ?? 'never'}${late === undefined ? '' : html` <strong class="wrong">late</strong>`}</td>
<td>${lastSuccess?.bytes === undefined ? '' : size(lastSuccess.bytes)}</td>
<td>${lastDrill ? `${lastDrill.outcome} ${when(lastDrill.startedAt, now)}` : '–'}</td>
<td>${present?.isWrong ? html`<strong class="wrong">${present.text}</strong>` : (present?.text ?? '–')}</td>
</tr>`;
}
