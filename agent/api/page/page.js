// Keeps the page up to date: small changes from the stream of events, everything else by reading the page again.
const connection = document.querySelector('#connection');
const live = document.querySelector('#live');
const retryMs = 2000;
const refreshMs = 30_000;
/** An answer that takes longer does not come: a connection may be lost without a word. */
const answerMs = 10_000;

/** Replaces the sections that changed and leaves the others, so that the focus and the place on the page stay. */
async function refresh() {
	const response = await fetch('/', {headers: {Accept: 'text/html'}, signal: AbortSignal.timeout(answerMs)});
	const fresh = new DOMParser().parseFromString(await response.text(), 'text/html').querySelector('#live');
	if (!fresh) {
		// The session is over: the sign-in form is at the same place
		location.reload();
		return;
	}

	const same =
		live.children.length === fresh.children.length && [...live.children].every((child, at) => child.id === fresh.children[at].id);
	if (!same) {
		live.replaceChildren(...fresh.children);
		return;
	}

	for (const [at, child] of [...fresh.children].entries()) {
		if (live.children[at].outerHTML !== child.outerHTML) {
			live.children[at].replaceWith(child);
		}
	}
}

let pending;
function refreshSoon() {
	if (pending !== undefined) {
		return;
	}

	pending = setTimeout(async () => {
		pending = undefined;
		try {
			await refresh();
			for (const event of [...latest.values()].flat()) {
				show(event);
			}
		} catch {
			lose();
		}
	}, 200);
}

/** The last step of each run under way, and how far it is. */
const latest = new Map();

function size(bytes) {
	const unit = ['B', 'kB', 'MB', 'GB', 'TB'].findLast((_, at) => bytes >= 1000 ** at) ?? 'B';
	return `${Number((bytes / 1000 ** ['B', 'kB', 'MB', 'GB', 'TB'].indexOf(unit)).toPrecision(3))} ${unit}`;
}

function show(event) {
	const row = document.querySelector(`[data-run="${CSS.escape(event.run)}"]`);
	if (!row) {
		return false;
	}

	const bar = row.querySelector('[data-progress]');
	if (event.type === 'step') {
		row.querySelector('[data-step]').textContent = [event.step, event.subject].filter(Boolean).join(' ');
		row.querySelector('[data-amount]').textContent = '';
		bar.removeAttribute('value');
	} else if (event.type === 'progress') {
		row.querySelector('[data-amount]').textContent = event.totalBytes
			? `${size(event.bytes)} of ${size(event.totalBytes)}`
			: size(event.bytes);
		if (event.totalBytes) {
			bar.max = event.totalBytes;
			bar.value = Math.min(event.bytes, event.totalBytes);
		}
	}

	return true;
}

function hear(event) {
	if (event.type === 'finished') {
		latest.delete(event.run);
		refreshSoon();
		return;
	}

	if (event.type === 'step') {
		latest.set(event.run, [event]);
	} else if (event.type === 'progress') {
		latest.set(event.run, [...(latest.get(event.run) ?? []).slice(0, 1), event]);
	}

	if (!show(event)) {
		refreshSoon();
	}
}

let events;
let retry;

function connect() {
	retry = undefined;
	events = new EventSource('/page/events');
	events.onopen = () => {
		tell('Live', 'connected');
		latest.clear();
		refreshSoon();
	};
	events.onmessage = ({data}) => hear(JSON.parse(data));
	events.onerror = lose;
}

/** The browser itself would try again only after some kinds of loss. */
function lose() {
	events.close();
	tell('Connection lost, trying again …', 'lost');
	if (retry !== undefined) {
		return;
	}

	retry = setTimeout(async () => {
		// Also tells whether the session is over
		await refresh().then(connect, () => {
			retry = undefined;
			lose();
		});
	}, retryMs);
}

function tell(text, name) {
	if (connection.textContent !== text) {
		connection.textContent = text;
		connection.className = name;
	}
}

connect();
setInterval(() => document.visibilityState === 'visible' && refreshSoon(), refreshMs);
