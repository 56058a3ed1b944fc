// One job: its steps as a line, what may be done, what happened.

import {jobActions, stepActions} from '../actions.js';
import {at} from '../api.js';
import {h} from '../dom.js';
import {date, dateTime, number, span} from '../format.js';
import {card, chip, due, empty, facts, heading, line, more, priority, running,
	statusText, when} from '../parts.js';
import {may} from '../session.js';
import {t, word} from '../words.js';

const EVENTS = 100;

export default {
	title: 'job',
	every: 4000,

	wants: ({id, query}) => ({
		job: `/api/jobs/${id}`,
		timeline: at(`/api/jobs/${id}/timeline`, {
			limit: Number(query.limit) || EVENTS}),
	}),

	draw({job, timeline}, {path}) {
		const it = job.data.data;
		return [
			h('p', {class: 'path'}, h('a', {href: '#/jobs'},
				t('jobs')), ' / ', it.job_number),
			heading([it.title, ' ', chip(it.status), ' ',
				priority(it.priority)]),
			h('div', {class: 'buttons'}, jobActions(it)),
			about(it),
			it.steps.length ? line(it.steps, `#/${path}`)
				: empty(t('no_steps')),
			h('div', {class: 'job'},
				h('div', null, h('h2', null, t('steps')),
					it.steps.map(step =>
						stepCard(step, it.status))),
				card(t('timeline'), history(timeline.data.data),
					more({shown: timeline.data.data.length,
						size: EVENTS, total: timeline.total},
					limit => at(`#/${path}`, {limit})))),
		];
	},
};

function about(job) {
	return h('section', {class: 'card'}, facts(
		[t('number'), job.job_number],
		[t('customer'), job.customer && (may('customers.view')
			? h('a', {href: `#/customers/${job.customer.id}`},
				job.customer.name) : job.customer.name)],
		[t('dealer'), job.dealer?.name],
		[t('due_date'), due(job)],
		[t('revision'), job.revision_no],
		[t('created'), [dateTime(job.created_at), job.created_by &&
			` · ${job.created_by.name}`]],
	), job.description && h('p', {class: 'text'}, job.description));
}

function quantity(step) {
	const made = step.production_quantity;
	const unit = step.production_unit ?? '';
	if (step.required_quantity)
		return t('made_of', number(made ?? 0, 2),
			number(step.required_quantity, 2), unit);
	return made && `${number(made, 2)} ${unit}`;
}

function stepCard(step, jobStatus) {
	return h('article', {id: `step-${step.id}`, 'data-key': step.id,
		class: `card step is-${step.status}`, tabindex: -1},
	h('h3', null, h('span', null, `${step.order_index + 1}. ` +
		step.process.name), ' ', chip(step.status)),
	step.block_reason && h('p', {class: 'reason'}, step.block_reason,
		' · ', when(step.blocked_at)),
	facts(
		[t('assigned_to'), step.assigned_to?.name],
		[t('machine'), step.machine?.name],
		[t('due_date'), step.due_date && date(step.due_date)],
		[t('running_for'), step.status === 'in_progress' &&
			running(step.started_at)],
		[t('estimate'), step.estimated_duration &&
			span(step.estimated_duration)],
		[t('quantity'), quantity(step)],
		[t('completed'), step.completed_at && [when(step.completed_at),
			step.completed_by && ` · ${step.completed_by.name}`]],
		[t('requirements'), step.requirements],
		[t('notes'), step.production_notes]),
	step.notes.length > 0 && h('ul', {class: 'notes'}, step.notes.map(
		note => h('li', {'data-key': note.id},
			h('p', {class: 'text'}, note.note),
			h('small', null, note.author_name ?? t('somebody'),
				' · ', when(note.created_at))))),
	h('div', {class: 'buttons'}, stepActions(step, jobStatus)));
}

function history(rows) {
	return rows.length ? h('ol', {class: 'events'}, rows.map(row =>
		h('li', {class: `on-${row.event_type}`},
			h('p', null, h('strong', null,
				row.actor_name ?? t('somebody')), ' · ',
			word('event', row.event_type),
			row.process_name && ` · ${row.process_name}`),
			details(row.details),
			h('small', null, when(row.timestamp)))))
		: empty(t('nothing_yet'));
}

function details(d) {
	const said = d.note ?? d.block_reason ?? d.revision_reason ??
		d.reason ?? d.filename;
	const made = d.production_quantity &&
		`${number(d.production_quantity, 2)} ${d.production_unit ?? ''}`;
	return [said && h('p', {class: 'text'}, said),
		made && h('p', null, made),
		d.changes && Object.entries(d.changes).map(([name, change]) =>
			h('p', null, `${t(name)}: ${shown(name, change.old)}` +
				` → ${shown(name, change.new)}`))];
}

function shown(name, value) {
	if (value === null || value === undefined || value === '')
		return '–';
	if (name === 'priority')
		return word('priority', value);
	return name === 'due_date' ? date(value)
		: name === 'status' ? statusText(value) : String(value);
}
