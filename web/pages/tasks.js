// The asker's work, for a thumb with a glove on.

import {stepActions} from '../actions.js';
import {h} from '../dom.js';
import {date, number, span, today} from '../format.js';
import {chip, empty, heading, more, running} from '../parts.js';
import {me} from '../session.js';
import {t} from '../words.js';

const SIZE = 50;
const GROUPS = [['in_progress', 'tasks_running'], ['blocked', 'tasks_paused'],
	['ready', 'tasks_ready'], ['on_hold', 'tasks_held']];

export default {
	title: 'tasks',
	every: 4000,

	wants: ({query}) => ({
		tasks: '/api/tasks?status=in_progress,blocked,ready,on_hold' +
			`&limit=${Number(query.limit) || SIZE}`,
	}),

	draw({tasks}) {
		const rows = tasks.data.data;
		return [
			heading(t('tasks')),
			!rows.length && empty(t('no_tasks')),
			GROUPS.map(([status, title]) => group(title,
				rows.filter(task => task.status === status))),
			more({shown: rows.length, size: SIZE, total: tasks.total},
				limit => `#/tasks?limit=${limit}`),
		];
	},
};

function group(title, rows) {
	return rows.length > 0 && h('section', {class: 'tasks',
		'data-key': title},
	h('h2', null, t(title), ' ', h('span', {class: 'muted'},
		number(rows.length))),
	h('div', {class: 'cards'}, rows.map(taskCard)));
}

export function taskCard(task) {
	// What is in this list is the asker's.
	const step = {...task, assigned_to: {id: me().id}};
	const {job} = task;
	return h('article', {class: `card task is-${task.status}`,
		'data-key': task.id, 'data-task': task.id},
	h('h3', null, h('a', {href: `#/tasks/${task.id}`},
		task.process.name), ' ', chip(task.status)),
	h('p', {class: 'what'}, h('strong', null, job.job_number), ' ',
		job.title),
	h('p', {class: 'muted'}, [job.customer_name, task.machine?.name,
		job.due_date && t('due_on', date(job.due_date))]
		.filter(Boolean).join(' · '),
	job.due_date && job.due_date < today() && [' ',
		h('span', {class: 'chip is-late'}, t('late'))]),
	amounts(task),
	h('div', {class: 'buttons big'}, stepActions(step, job.status, false)));
}

function amounts(task) {
	const unit = task.production_unit ?? '';
	const made = task.production_quantity ?? 0;
	return h('p', {class: 'amounts'},
		task.status === 'in_progress' && h('span', null,
			t('running_for'), ' ', running(task.started_at),
			task.estimated_duration && ` / ${
				span(task.estimated_duration)}`),
		task.required_quantity
			? h('span', null, t('made_of', number(made, 2),
				number(task.required_quantity, 2), unit))
			: made > 0 && h('span', null,
				t('made', number(made, 2), unit)));
}
