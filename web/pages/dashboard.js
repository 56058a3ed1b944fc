// Is anything late, how much is in each state, which machines stand.

import {at} from '../api.js';
import {figure, paint} from '../chart.js';
import {h} from '../dom.js';
import {date, month, number, today} from '../format.js';
import {bar, card, chip, due, empty, heading, priority, statusText, table, when}
	from '../parts.js';
import {may} from '../session.js';
import {t, word} from '../words.js';

const STATUSES = ['draft', 'active', 'in_progress', 'on_hold', 'completed',
	'canceled'];
const MONTHS = 7;

export default {
	title: 'dashboard',
	every: 5000,

	wants: () => ({
		stats: '/api/dashboard/stats',
		months: '/api/dashboard/chart/jobs-by-month',
		recent: '?/api/dashboard/recent-jobs?limit=8',
		activity: '?/api/dashboard/activity?limit=8',
		late: '?' + at('/api/jobs', {overdue: true, sort: 'due_date',
			per_page: 8}),
	}),

	draw({stats, months, recent, activity, late}) {
		const {jobs, machines, my_tasks: mine} = stats.data.data;
		const held = jobs.total - STATUSES.reduce((sum, status) =>
			sum + (jobs[status] ?? 0), 0);
		return [
			heading(t('dashboard'), h('span', {class: 'muted'},
				date(today()))),
			tiles(jobs, machines, mine),
			h('div', {class: 'two'},
				byStatus({...jobs, on_hold: held}),
				byMonth(months.data.data)),
			late && card(t('late_jobs'), lateJobs(late)),
			h('div', {class: 'two uneven'},
				recent && card(t('recent_jobs'),
					recentJobs(recent.data.data)),
				activity && card(t('activity'),
					activityList(activity.data.data))),
		];
	},

	drawn: paint,
};

function tile(value, text, to, kind) {
	return h(to ? 'a' : 'div', {class: `tile ${kind ?? ''}`, href: to},
		h('strong', null, number(value)), h('span', null, text));
}

function tiles(jobs, machines, mine) {
	const to = query => may('jobs.view') ? `#/jobs?${query}` : null;
	return h('div', {class: 'tiles'},
		tile(jobs.overdue, t('late'), to('overdue=true'),
			jobs.overdue ? 'is-late' : ''),
		tile(jobs.in_progress, statusText('in_progress'),
			to('status=in_progress')),
		tile(jobs.active, statusText('active'), to('status=active')),
		tile(jobs.draft, statusText('draft'), to('status=draft')),
		tile(machines.busy, t('machines_at_work', number(machines.total)),
			'#/machines'),
		tile(machines.maintenance + machines.inactive,
			t('machines_out'), '#/machines?state=standing',
			machines.maintenance + machines.inactive
				? 'is-blocked' : ''),
		mine && tile(mine.in_progress, t('my_running'), '#/tasks'),
		mine && tile(mine.ready, t('my_ready'), '#/tasks'));
}

function byStatus(jobs) {
	return h('section', {class: 'card'}, figure(t('jobs_by_status'), {
		kind: 'bar', sideways: true, text: number,
		labels: STATUSES.map(statusText),
		series: [{label: t('jobs'),
			values: STATUSES.map(status => jobs[status] ?? 0),
			colours: STATUSES.map(status => `--is-${status}`)}],
	}));
}

// Months without a job are missing in the answer.
function byMonth(rows) {
	const counts = new Map(rows.map(row =>
		[row.month.slice(0, 7), row.count]));
	const [year, last] = today().split('-').map(Number);
	const labels = Array.from({length: MONTHS}, (_, i) => {
		const n = year * 12 + last - MONTHS + i;
		return `${Math.floor(n / 12)}-` +
			String(n % 12 + 1).padStart(2, '0');
	});
	const known = rows.length && rows[rows.length - 1].month.slice(0, 7);
	// A shop whose clock is another's.
	const months = known && !labels.includes(known) ? [...counts.keys()]
		: labels;
	return h('section', {class: 'card'}, figure(t('jobs_by_month'), {
		kind: 'bar', text: number,
		labels: months.map(m => month(`${m}-01`)),
		series: [{label: t('new_jobs'),
			values: months.map(m => counts.get(m) ?? 0)}],
	}));
}

const link = job => h('a', {href: `#/jobs/${job.id}`}, job.job_number);

function lateJobs({data: {data, meta}}) {
	if (!data.length)
		return empty(t('nothing_late'));
	return [table(t('late_jobs'), [
		[t('number'), link, 'key'],
		[t('title'), job => job.title],
		[t('customer'), job => job.customer_name ?? '–', 'wide'],
		[t('due_date'), due],
		[t('status'), job => chip(job.status), 'wide'],
		[t('progress'), job => bar(job.progress), 'wide'],
	], data, {flows: true}),
	meta.total > data.length && h('p', {class: 'more'},
		h('a', {href: '#/jobs?overdue=true&sort=due_date'},
			t('all_of', number(meta.total))))];
}

function recentJobs(rows) {
	return rows.length ? table(t('recent_jobs'), [
		[t('number'), link, 'key'],
		[t('title'), job => [job.title, ' ', priority(job.priority)]],
		[t('status'), job => chip(job.status)],
		[t('progress'), job => bar(job.progress), 'wide'],
	], rows, {flows: true}) : empty(t('nothing_found'));
}

function activityList(rows) {
	return rows.length ? h('ul', {class: 'events'}, rows.map(row =>
		h('li', {'data-key': row.id},
			h('p', null, h('strong', null,
				row.user_name ?? t('somebody')), ' · ',
			word('event', row.action), row.job_number &&
				[' · ', row.job_number]),
			h('small', null, when(row.created_at)))))
		: empty(t('nothing_found'));
}
