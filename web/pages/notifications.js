// What the asker was told.

import {at, patch, remove} from '../api.js';
import {complain, perform} from '../dialog.js';
import {h} from '../dom.js';
import {icon} from '../icons.js';
import {redraw, refresh} from '../live.js';
import {countAgain} from '../main.js';
import {button, empty, heading, more, when} from '../parts.js';
import {t} from '../words.js';

const SIZE = 60;
const ICONS = {warning: 'hand', success: 'check', error: 'cross',
	task_assigned: 'tasks', task_ready: 'tasks', job_held: 'pause',
	job_resumed: 'play', job_canceled: 'cross'};

// Read or gone here before the server has said so.
const read = new Set();
const gone = new Set();

export default {
	title: 'notifications',
	every: 5000,

	wants: ({query}) => ({
		notifications: at('/api/notifications', {
			limit: Number(query.limit) || SIZE,
			is_read: query.unread && false}),
	}),

	draw({notifications}, {query}) {
		const rows = notifications.data.data.filter(
			row => !gone.has(row.id));
		return [
			heading(t('notifications'), button(t('all_read'),
				'check', allRead)),
			h('nav', {class: 'tabs', 'aria-label': t('filter')},
				tab('', t('all'), query),
				tab('1', t('only_unread'), query)),
			rows.length ? h('ul', {class: 'rows notifications'},
				rows.map(item)) : empty(t('nothing_new')),
			more({shown: notifications.data.data.length, size: SIZE,
				total: notifications.total}, limit =>
				at('#/notifications', {...query, limit})),
		];
	},
};

function tab(unread, text, query) {
	return h('a', {href: `#/notifications${unread && '?unread=1'}`,
		'aria-current': (query.unread ?? '') === unread ? 'page' : null},
	text);
}

function target({ref_type: type, ref_id: id}) {
	if (!id)
		return null;
	return {job: `#/jobs/${id}`, job_step: `#/tasks/${id}`}[type] ?? null;
}

function item(row) {
	const isRead = row.is_read || read.has(row.id);
	const to = target(row);
	return h('li', {'data-key': row.id, class: isRead ? null : 'unread'},
		h('span', {class: `mark on-${row.type}`},
			icon(ICONS[row.type] ?? 'bell')),
		h('div', null,
			h('p', null, to ? h('a', {href: to, onclick: () =>
				isRead || markRead(row)}, row.title)
				: h('strong', null, row.title),
			!isRead && h('span', {class: 'chip is-active'},
				t('new'))),
			row.message && h('p', null, row.message),
			h('small', null, when(row.created_at))),
		h('div', {class: 'buttons'},
			!isRead && button(t('mark_read'), 'check', () =>
				markRead(row)),
			button(t('do_delete'), 'trash', () => drop(row))));
}

// Shown at once; shown as it was when it could not be done.
async function hastily(set, row, call) {
	set.add(row.id);
	redraw();
	try {
		await call();
	} catch (trouble) {
		complain(trouble);
	} finally {
		await refresh();
		set.delete(row.id);
		redraw();
		countAgain();
	}
}

const markRead = row => hastily(read, row, () =>
	patch(`/api/notifications/${row.id}/read`));

const drop = row => hastily(gone, row, () =>
	remove(`/api/notifications/${row.id}`));

async function allRead() {
	await perform(() => patch('/api/notifications/mark-all-read'));
	countAgain();
}
