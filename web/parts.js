// What the pages are put together from.

import {complain} from './dialog.js';
import {h} from './dom.js';
import {ago, date, dateTime, number, percent, since, today} from './format.js';
import {icon} from './icons.js';
import {t, word} from './words.js';

const STEP_ICONS = {
	pending: 'clock', ready: 'right', in_progress: 'play',
	blocked: 'hand', on_hold: 'pause', completed: 'check',
	canceled: 'cross',
};

export const statusText = status => word('status', status);

export function chip(status) {
	return h('span', {class: `chip is-${status}`}, statusText(status));
}

export function priority(value) {
	return value && value !== 'normal' &&
		h('span', {class: `chip is-${value}`}, word('priority', value));
}

export function heading(text, ...beside) {
	return h('header', {class: 'heading'},
		h('h1', {tabindex: -1}, text),
		h('div', {class: 'beside'}, beside));
}

export function empty(text) {
	return h('p', {class: 'empty'}, text);
}

export function card(title, ...content) {
	return h('section', {class: 'card'}, h('h2', null, title), content);
}

/*
 * button('start', 'play', start): what it does, an icon, what happens.  It
 * does nothing more while that is under way.
 */
export function button(text, image, onclick, props = {}) {
	return h('button', {type: 'button', ...props,
		onclick: event => once(event.currentTarget, onclick, event)},
	image && icon(image), h('span', null, text));
}

async function once(element, work, event) {
	if (element.ariaDisabled === 'true')
		return;
	element.ariaDisabled = 'true';
	try {
		await work(event);
	} catch (trouble) {
		complain(trouble);
	} finally {
		element.ariaDisabled = null;
	}
}

/*
 * columns: [title, cell(row), class]; of class "wide" only where there is room.
 * One that flows has no columns on a narrow screen; as its parts are not laid
 * out as a table there, they say what they are.
 */
export function table(caption, columns, rows, {key = row => row.id,
	flows} = {}) {
	return h('div', {class: flows ? 'table flows' : 'table',
		role: 'region', tabindex: 0, 'aria-label': caption},
	h('table', {role: 'table'},
		h('caption', null, caption),
		h('thead', {role: 'rowgroup'}, h('tr', {role: 'row'},
			columns.map(([title, , kind]) => h('th', {scope: 'col',
				role: 'columnheader', class: kind}, title)))),
		h('tbody', {role: 'rowgroup'}, rows.map(row =>
			h('tr', {'data-key': key(row), role: 'row'},
				columns.map(([, cell, kind]) => h('td',
					{class: kind, role: 'cell'},
					cell(row))))))));
}

// "1–25 of 180", and the way to the others.
export function pager({first, size, total}, to) {
	const last = Math.min(first + size, total);
	const link = (text, image, where, on) => on
		? h('a', {class: 'button', href: to(where), rel: image ===
			'left' ? 'prev' : 'next'}, icon(image),
		h('span', null, text))
		: h('span', {class: 'button off', role: 'link',
			'aria-disabled': 'true'},
			icon(image), h('span', null, text));
	return h('nav', {class: 'pager', 'aria-label': t('pages')},
		h('span', {'aria-live': 'polite'}, total
			? t('rows_of', number(first + 1), number(last),
				number(total)) : t('nothing_found')),
		link(t('previous'), 'left', first - size, first > 0),
		link(t('next'), 'right', first + size, last < total));
}

/*
 * The way to more of a list that is shown from its beginning; `to` is the
 * address with so many rows.
 */
export function more({shown, size, total}, to) {
	const left = (total ?? shown) - shown;
	return left > 0 && h('p', {class: 'more'},
		h('a', {class: 'button', href: to(shown + size)},
			t('show_more', number(left))));
}

export function bar(share) {
	return h('span', {class: 'bar'},
		h('progress', {max: 100, value: share,
			'aria-label': t('progress')}),
		h('span', {class: 'figure'}, percent(share / 100)));
}

export function isLate({due_date: due, status}) {
	return Boolean(due) && due < today() &&
		status !== 'completed' && status !== 'canceled';
}

export function due(job) {
	if (!job.due_date)
		return '–';
	return isLate(job)
		? h('span', {class: 'late'}, date(job.due_date), ' ',
			h('span', {class: 'chip is-late'}, t('late')))
		: h('span', {class: 'day'}, date(job.due_date));
}

// "3 hours ago", with the very moment for who asks.
export function when(text) {
	return text ? h('time', {datetime: text, title: dateTime(text)},
		ago(text)) : '–';
}

// How long already; it goes on by itself.
export function running(text) {
	return text ? h('time', {datetime: text, title: dateTime(text),
		'data-since': text}, since(text)) : '–';
}

setInterval(() => {
	for (const e of document.querySelectorAll('[data-since]'))
		e.textContent = since(e.dataset.since);
}, 20000);

// The steps of a job as a line of progress.
export function line(steps, to) {
	return h('ol', {class: 'line', 'aria-label': t('steps')},
		steps.map(step => h('li', {'data-key': step.id,
			class: `is-${step.status}`},
		h('a', {href: to, 'data-step': step.id,
			onclick: event => goTo(event, step.id)},
		h('span', {class: 'dot'}, icon(STEP_ICONS[step.status] ??
			'clock')),
		h('span', {class: 'name'}, step.process.name),
		h('span', {class: 'state'}, statusText(step.status)),
		step.assigned_to && h('span', {class: 'who'},
			step.assigned_to.name)))));
}

function goTo(event, id) {
	const step = document.getElementById(`step-${id}`);
	event.preventDefault();
	step?.scrollIntoView({block: 'center'});
	step?.focus({preventScroll: true});
}

// dl of [term, value]; what is not there is left out.
export function facts(...pairs) {
	return h('dl', {class: 'facts'}, pairs
		.filter(([, value]) => value || value === 0)
		.map(([term, value]) => h('div', null, h('dt', null, term),
			h('dd', null, value))));
}
