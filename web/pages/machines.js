// The machines: who is on what, since when.

import {patch, post, at} from '../api.js';
import {ask} from '../dialog.js';
import {h} from '../dom.js';
import {number} from '../format.js';
import {button, empty, facts, heading, running} from '../parts.js';
import {may} from '../session.js';
import {t, word} from '../words.js';

const STATES = ['active', 'maintenance', 'inactive'];
const SHOWN = {
	busy: m => m.is_busy,
	free: m => !m.is_busy && m.status === 'active',
	standing: m => m.status !== 'active',
};

export default {
	title: 'machines',
	every: 4000,

	wants: () => ({machines: '/api/machines/status'}),

	draw({machines}, {query}) {
		const all = machines.data.data;
		const rows = all.filter(SHOWN[query.state] ?? (() => true));
		return [
			heading(t('machines'), may('machines.create') && button(
				t('new_machine'), 'plus', create)),
			h('nav', {class: 'tabs', 'aria-label': t('filter')},
				tab('', t('all'), all.length, query),
				Object.entries(SHOWN).map(([name, is]) => tab(
					name, t(`machines_${name}`),
					all.filter(is).length, query))),
			rows.length ? h('div', {class: 'cards'},
				rows.map(machineCard))
				: empty(t('nothing_found')),
		];
	},
};

function tab(state, text, count, query) {
	return h('a', {href: at('#/machines', {state}),
		'aria-current': (query.state ?? '') === state ? 'page' : null},
	text, ' ', h('span', {class: 'muted'}, number(count)));
}

function machineCard(machine) {
	const task = machine.current_task;
	const state = machine.status !== 'active' ? machine.status
		: machine.is_busy ? 'busy' : 'free';
	return h('article', {class: `card machine is-${state}`,
		'data-key': machine.id},
	h('h2', null, h('span', null, machine.name), ' ',
		h('span', {class: `chip is-${state}`}, word('machine', state))),
	h('p', {class: 'muted'}, [machine.code, machine.location]
		.filter(Boolean).join(' · ')),
	task && facts(
		[t('operator'), task.operator_name ?? t('nobody')],
		[t('running_for'), running(task.started_at)],
		[t('job'), may('jobs.view')
			? h('a', {href: `#/jobs/${task.job_id}`},
				task.job_number, ' ', task.job_title)
			: `${task.job_number} ${task.job_title}`],
		[t('process'), task.process_name]),
	machine.notes && h('p', {class: 'text'}, machine.notes),
	h('p', {class: 'muted'}, t('tasks_done',
		number(machine.completed_tasks_count)),
	machine.capacity_per_hour && ` · ${t('per_hour',
		number(machine.capacity_per_hour, 1))}`),
	may('machines.update') && h('div', {class: 'buttons'},
		button(t('do_edit'), 'edit', () => edit(machine))));
}

const fields = (machine = {}) => [
	{name: 'name', label: t('name'), required: true, maxlength: 255,
		value: machine.name},
	{name: 'status', label: t('status'), type: 'select',
		value: machine.status ?? 'active',
		options: STATES.map(s => [s, t(`machine_${s}`)])},
	{name: 'location', label: t('location'), maxlength: 255,
		value: machine.location},
	{name: 'capacity_per_hour', label: t('capacity_per_hour'),
		type: 'number', min: 0, value: machine.capacity_per_hour},
	{name: 'notes', label: t('notes'), type: 'textarea',
		value: machine.notes},
];

function edit(machine) {
	return ask({
		title: `${t('do_edit')}: ${machine.name}`,
		fields: fields(machine), edits: true,
		act: values => patch(`/api/machines/${machine.id}`, values),
	});
}

function create() {
	return ask({
		title: t('new_machine'),
		fields: [{name: 'code', label: t('code'), required: true,
			maxlength: 50}, ...fields()],
		act: values => post('/api/machines', values),
	});
}

