// What a step is made of: processes, people and machines to choose from.

import {get} from './api.js';
import {t} from './words.js';

export const LISTS = {processes: '/api/processes', users: '/api/users',
	machines: '/api/machines'};

// The answers by the same names.  Without one of them there is no choice.
export async function choices() {
	return Object.fromEntries(await Promise.all(Object.entries(LISTS).map(
		async ([name, path]) => [name, await get(path)])));
}

// [value, text] by name.
export function optionsOf({processes, users, machines}) {
	const {groups, ungrouped} = processes.data.data;
	const named = rows => rows.map(row => [row.id, row.name]);
	return {
		processes: [...groups.flatMap(group => named(group.processes)),
			...named(ungrouped)],
		users: [[null, t('nobody')], ...users.data.data.map(
			user => [user.id, user.full_name ?? user.username])],
		machines: [[null, t('none')], ...named(machines.data.data)],
	};
}

export function stepFields(answers, step = {}) {
	const options = optionsOf(answers);
	const one = (name, label, of, is) => ({name, label: t(label),
		type: 'select', options: options[of], value: is?.id,
		called: is?.name ?? t('somebody')});
	return [
		{...one('process_id', 'process', 'processes', step.process),
			required: true},
		one('assigned_to', 'assigned_to', 'users', step.assigned_to),
		one('machine_id', 'machine', 'machines', step.machine),
		{name: 'due_date', label: t('due_date'), type: 'date',
			value: step.due_date},
		{name: 'estimated_duration', label: t('estimate_minutes'),
			type: 'number', step: 1, min: 0,
			value: step.estimated_duration},
		{name: 'has_production', label: t('counts_production'),
			type: 'checkbox', value: step.has_production},
		{name: 'required_quantity', label: t('target_quantity'),
			type: 'number', min: 0, value: step.required_quantity},
		{name: 'requirements', label: t('requirements'),
			type: 'textarea', value: step.requirements},
	];
}
