// One task, with its job's words and the notes.

import {h} from '../dom.js';
import {card, empty, heading, when} from '../parts.js';
import {may} from '../session.js';
import {t} from '../words.js';
import {taskCard} from './tasks.js';

export default {
	title: 'task',
	every: 4000,

	wants: ({id}) => ({task: `/api/tasks/${id}`}),

	draw({task}) {
		const it = task.data.data;
		return [
			h('p', {class: 'path'}, h('a', {href: '#/tasks'},
				t('tasks')), ' / ', it.process.name),
			heading(it.process.name, may('jobs.view') && h('a', {
				class: 'button', href: `#/jobs/${it.job.id}`},
			it.job.job_number)),
			taskCard(it),
			it.job.description && card(t('description'),
				h('p', {class: 'text'}, it.job.description)),
			card(t('notes'), notes(it.notes)),
		];
	},
};

function notes(rows) {
	return rows.length ? h('ul', {class: 'notes'}, rows.map(note =>
		h('li', {'data-key': note.id},
			h('p', {class: 'text'}, note.note),
			h('small', null, note.author_name ?? t('somebody'),
				' · ', when(note.created_at)))))
		: empty(t('nothing_yet'));
}
