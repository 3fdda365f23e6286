/** A small chart of bars, one for each run, drawn on the server. */
import {html} from 'hono/html';
import type {HtmlEscapedString} from 'hono/utils/html';

export interface Bar {
	value: number;
	/** For people who point at it. */
	title: string;
	isBad: boolean;
}

const [width, height, gap] = [180, 36, 2];
const mostBars = 30;

/** @param bars oldest first @param label what a screen reader says in place of the picture */
export function chart(bars: readonly Bar[], label: string): HtmlEscapedString | Promise<HtmlEscapedString> {
	const largest = Math.max(...bars.map(({value}) => value), 0);
	const step = width / mostBars;
	const latest = bars.slice(-mostBars);
	const shown = latest.map(({value, title, isBad}, at) => {
		// The newest one stands at the right, and one that is nothing is still seen to be there
		const index = at + mostBars - latest.length;
		const tall = Math.max(largest === 0 ? 0 : (value / largest) * height, isBad ? 10 : 2);
		return html`<rect class="${isBad ? 'bad' : 'good'}" x="${(index * step).toFixed(1)}" y="${(height - tall).toFixed(1)}" width="${(step - gap).toFixed(1)}" height="${tall.toFixed(1)}"><title>${title}</title></rect>`;
	});
	return html`<svg class="chart" role="img" aria-label="${label}" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none">${shown}</svg>`;
}
