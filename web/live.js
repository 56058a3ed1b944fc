// Keeps what a page shows fresh: asks again and again, draws what changed.

import {get, Lost, news, Refused} from './api.js';
import {draw, h} from './dom.js';
import {t} from './words.js';

const EVERY = 5000;		// milliseconds
const LONGEST_WAIT = 8000;	// while nothing is heard

let shown = null;

/*
 * A page: wants(route) gives paths by name, draw(answers, route) elements.  A
 * path with a ? before it may be refused: the answer is then null.  A page that
 * is `partly` of use is drawn with what is heard; the rest is what was last
 * known, or null.
 */
export function show(page, route, place) {
	const before = shown;
	hide();
	shown = {page, route, place, failures: 0,
		answers: before?.page === page ? before.answers : null};
	if (!shown.answers)
		draw(place, waiting());
	return turn();
}

export function hide() {
	shown?.stop?.abort();
	clearTimeout(shown?.timer);
	shown = null;
}

// Asks now, not at the next turn.
export function refresh() {
	return shown ? turn() : Promise.resolve();
}

// Draws again what was last heard: the language or what is open has changed.
export function redraw() {
	if (shown?.answers)
		drawNow(shown);
}

async function turn() {
	const now = shown;
	now.stop?.abort();
	clearTimeout(now.timer);
	const stop = now.stop = new AbortController();
	try {
		const answers = await ask(now, stop.signal);
		if (stop.signal.aborted || now !== shown)
			return;
		const before = now.answers;
		now.answers = answers;
		now.failures = 0;
		if (now.refused || now.drawn !== now.route ||
		    differ(before, answers))
			drawNow(now);
		now.refused = false;
	} catch (trouble) {
		if (stop.signal.aborted || now !== shown)
			return;
		failed(now, trouble);
	}
	if (now === shown && !document.hidden)
		now.timer = setTimeout(turn, wait(now));
}

function wait({failures, page}) {
	return failures ? Math.min(500 * 2 ** failures, LONGEST_WAIT)
		: page.every ?? EVERY;
}

async function ask({page, route, answers}, signal) {
	const lost = [];
	const found = await Promise.all(Object.entries(page.wants(route)).map(
		async ([name, path]) => {
			try {
				return [name, await get(path.replace(/^\?/, ''),
					signal)];
			} catch (trouble) {
				if (page.partly && trouble instanceof Lost) {
					lost.push(trouble);
					return [name, answers?.[name] ?? null];
				}
				if (path.startsWith('?') && isNo(trouble))
					return [name, null];
				throw trouble;
			}
		}));
	if (found.length > 0 && lost.length === found.length)
		throw lost[0];
	return Object.fromEntries(found);
}

const isNo = trouble => trouble instanceof Refused && trouble.status !== 401;

// A 304 is the same object again.
function differ(before, after) {
	return !before || Object.keys(after).some(name =>
		before[name] !== after[name]);
}

function drawNow(now) {
	now.drawn = now.route;
	draw(now.place, now.page.draw(now.answers, now.route));
	now.page.drawn?.(now.place, now.answers);
}

function failed(now, trouble) {
	if (trouble instanceof Lost) {
		now.failures++;
	} else if (trouble instanceof Refused) {
		now.refused = true;
		if (trouble.status !== 401)
			draw(now.place, h('div', {class: 'empty', role: 'alert'},
				h('h1', {tabindex: -1}, t('not_shown')),
				h('p', null, trouble.message),
				h('p', null, h('a', {href: '#/'}, t('to_start')))));
	} else {
		throw trouble;
	}
}

const waiting = () => h('p', {class: 'waiting'}, t('loading'));

document.addEventListener('visibilitychange', () => {
	if (!document.hidden)
		refresh();
});
window.addEventListener('online', refresh);

// The banner that says so while nothing is heard.
news.addEventListener('lost', ({detail}) => {
	draw(document.getElementById('banner'), h('p', {class: 'lost'},
		h('strong', null, detail), ' ', t('trying_again')));
});
news.addEventListener('back', () => {
	const banner = document.getElementById('banner');
	draw(banner, h('p', {class: 'back'}, t('connected_again')));
	setTimeout(() => {
		if (banner.querySelector('.back'))
			draw(banner);
	}, 3000);
});
