// Who works here, and in which roles.

import {get, patch, post, remove} from '../api.js';
import {ask, confirm} from '../dialog.js';
import {h} from '../dom.js';
import {date} from '../format.js';
import {button, heading, table} from '../parts.js';
import {isManager, may, me} from '../session.js';
import {t} from '../words.js';

export default {
	title: 'users',
	every: 10000,

	wants: () => ({users: '/api/users', roles: '/api/roles'}),

	draw({users, roles}) {
		return [
			heading(t('users'), may('users.create') && button(
				t('new_user'), 'plus', create, {class: 'main'})),
			peopleTabs('users'),
			table(t('users'), COLUMNS(roles.data.data), users.data.data,
				{flows: true}),
		];
	},
};

export function peopleTabs(here) {
	return h('nav', {class: 'tabs', 'aria-label': t('people')},
		['users', 'roles'].map(name => h('a', {href: `#/${name}`,
			'aria-current': name === here ? 'page' : null},
		t(name))));
}

const COLUMNS = all => [
	[t('name'), user => user.full_name ?? user.username],
	[t('username'), user => user.username, 'wide'],
	[t('email'), user => user.email, 'wide'],
	[t('roles'), user => user.roles.length ? user.roles.map(role =>
		[roleChip(role.role_name, role.is_primary), ' '])
		: user.role ? roleChip(all.find(role => role.code === user.role)
			?.name ?? user.role, true) : '–'],
	[t('since'), user => date(user.created_at?.slice(0, 10)), 'wide'],
	[t('actions'), user => h('div', {class: 'buttons'},
		may('users.update') && act(user, 'do_edit', 'edit', edit),
		isManager() && act(user, 'roles', 'people', editRoles),
		may('users.delete') && user.id !== me().id &&
			act(user, 'do_deactivate', 'trash', deactivate))],
];

const roleChip = (name, isPrimary) => h('span', {
	class: isPrimary ? 'chip is-active' : 'chip'}, name);

// For who only hears the buttons, each says whom it is about.
function act(user, name, icon, work) {
	return button(t(name), icon, () => work(user), {
		'aria-label': `${t(name)}: ${user.full_name ?? user.username}`});
}

const FIELDS = (user = {}) => [
	{name: 'full_name', label: t('full_name'), maxlength: 255,
		value: user.full_name},
	{name: 'email', label: t('email'), type: 'email', required: true,
		maxlength: 255, value: user.email},
];

const password = (label, required) => ({name: 'password', label,
	type: 'password', autocomplete: 'new-password', required,
	minlength: 6});

function edit(user) {
	return ask({
		title: `${t('do_edit')}: ${user.username}`,
		fields: [...FIELDS(user), password(t('new_password'))],
		edits: true,
		act: values => patch(`/api/users/${user.id}`, values),
	});
}

async function roles() {
	const {data} = await get('/api/roles');
	return data.data.filter(role => role.is_active !== false);
}

async function create() {
	const all = await roles();
	let made;
	return ask({
		title: t('new_user'),
		fields: [{name: 'username', label: t('username'),
			required: true, maxlength: 100}, ...FIELDS(),
		password(t('password'), true),
		{name: 'role', label: t('role'), type: 'select',
			suggested: 'operator', options: all.map(
				role => [role.code, role.name])}],
		// The second time only what is left to do.  Who is no manager may
		// not assign; the role that is named with the user counts too.
		act: async values => {
			made ??= (await post('/api/users', values)).data;
			const role = all.find(r => r.code === values.role);
			return role && isManager() && post(`/api/user-roles/user/${made.id}`,
				{role_ids: [role.id], primary_role_id: role.id});
		},
	});
}

/*
 * What is sent is all of his roles.  Those that are no longer offered he keeps;
 * one that stands in users.role alone the server tells as his primary one.
 */
async function editRoles(user) {
	const [all, {data}] = await Promise.all([roles(),
		get(`/api/users/${user.id}`)]);
	const held = new Set(data.data.roles.map(role => role.role_id));
	const first = data.data.roles.find(role => role.is_primary);
	return ask({
		title: `${t('roles')}: ${user.full_name ?? user.username}`,
		fields: [{name: 'primary', label: t('primary_role'),
			type: 'select', value: first?.role_id,
			called: first?.role_name, options: [
				...first ? [] : [[null, t('none')]],
				...all.map(role => [role.id, role.name])]},
		...all.map(role => ({name: role.id, label: role.name,
			type: 'checkbox', value: held.has(role.id)}))],
		edits: true,
		act: ({primary = first?.role_id, ...touched}) => {
			const ids = new Set(held);
			for (const [id, has] of Object.entries(touched))
				ids[has ? 'add' : 'delete'](id);
			if (primary)
				ids.add(primary);
			return post(`/api/user-roles/user/${user.id}`, {
				role_ids: [...ids], primary_role_id: primary});
		},
	});
}

function deactivate(user) {
	return confirm(t('do_deactivate'), t('deactivate_text',
		user.full_name ?? user.username), t('do_deactivate'),
	() => remove(`/api/users/${user.id}`));
}
