// The roles, and what each may do.

import {patch, post, remove} from '../api.js';
import {ask, confirm, perform} from '../dialog.js';
import {h} from '../dom.js';
import {number} from '../format.js';
import {button, heading, table} from '../parts.js';
import {may} from '../session.js';
import {t, word} from '../words.js';
import {peopleTabs} from './users.js';

const ACTIONS = ['view', 'create', 'update', 'delete'];

export default {
	title: 'roles',
	every: 10000,

	wants: ({query}) => ({
		roles: '/api/roles',
		...(query.role && {
			role: `?/api/roles/${query.role}`,
			resources: '/api/roles/resources'}),
	}),

	draw({roles, role, resources}) {
		return [
			heading(t('roles'), may('roles.create') && button(
				t('new_role'), 'plus', create, {class: 'main'})),
			peopleTabs('roles'),
			table(t('roles'), COLUMNS(), roles.data.data),
			role && rights(role.data.data, resources.data.data),
		];
	},
};

const COLUMNS = () => [
	[t('name'), role => h('a', {href: `#/roles?role=${role.id}`},
		role.name)],
	[t('code'), role => role.code, 'wide'],
	[t('description'), role => role.description ?? '–', 'wide'],
	[t('users'), role => number(role.user_count)],
	[t('actions'), role => h('div', {class: 'buttons'},
		may('roles.update') && button(t('do_edit'), 'edit',
			() => edit(role), {'aria-label':
				`${t('do_edit')}: ${role.name}`}),
		may('roles.delete') && !role.user_count && button(
			t('do_delete'), 'trash', () => confirm(t('do_delete'),
				t('delete_role_text', role.name), t('do_delete'),
				() => remove(`/api/roles/${role.id}`))))],
];

const fields = (role = {}) => [
	{name: 'name', label: t('name'), required: true, maxlength: 100,
		value: role.name},
	{name: 'description', label: t('description'), type: 'textarea',
		value: role.description},
];

function edit(role) {
	return ask({
		title: `${t('do_edit')}: ${role.name}`, fields: fields(role),
		edits: true,
		act: values => patch(`/api/roles/${role.id}`, values),
	});
}

async function create() {
	const made = await ask({
		title: t('new_role'),
		fields: [{name: 'code', label: t('code'), required: true,
			maxlength: 50}, ...fields()],
		act: values => post('/api/roles', values),
	});
	if (made)
		location.hash = `#/roles?role=${made.data.id}`;
}

// A box for each right; a change is sent as the whole row of its resource.
function rights(role, {resources}) {
	const isAll = role.code === 'yonetici';
	const known = new Map(resources.map(r => [r.code, r.name]));
	const codes = [...new Set([...known.keys(),
		...Object.keys(role.permissions)])];
	return h('section', {class: 'card', 'data-key': role.id},
		h('h2', null, t('rights_of', role.name)),
		isAll && h('p', null, t('manager_may_all')),
		h('div', {class: 'table', role: 'region', tabindex: 0,
			'aria-label': t('rights_of', role.name)},
		h('table', null,
			h('thead', null, h('tr', null,
				h('th', {scope: 'col'}, t('resource')),
				ACTIONS.map(action => h('th', {scope: 'col',
					class: 'box'}, t(`may_${action}`))))),
			h('tbody', null, codes.map(code => h('tr', {
				'data-key': code},
			h('th', {scope: 'row'}, known.get(code) ??
				word('resource', code)),
			ACTIONS.map(action => h('td', {class: 'box'},
				box(role, code, action, known.get(code) ??
					code, isAll)))))))));
}

function box(role, code, action, name, isAll) {
	const row = role.permissions[code] ?? {};
	return h('input', {type: 'checkbox',
		'aria-label': `${name}: ${t(`may_${action}`)}`,
		checked: isAll || Boolean(row[`can_${action}`]),
		disabled: isAll || !may('roles.update'),
		onchange: event => set(role, code, {...row,
			[`can_${action}`]: event.target.checked})});
}

function set(role, code, row) {
	return perform(() => patch(`/api/roles/${role.id}`, {permissions: {
		[code]: Object.fromEntries(ACTIONS.map(action => [
			`can_${action}`, Boolean(row[`can_${action}`])]))}}));
}
