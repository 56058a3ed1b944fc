// The customers, searched as one types.

import {at, post} from '../api.js';
import {ask} from '../dialog.js';
import {h} from '../dom.js';
import {button, empty, heading, pager, table} from '../parts.js';
import {may} from '../session.js';
import {t} from '../words.js';

const SIZE = 25;
const TYPING = 200;	// milliseconds

export default {
	title: 'customers',
	every: 10000,

	wants: ({query}) => ({
		customers: at('/api/customers', {search: query.search,
			limit: SIZE, offset: first(query)}),
	}),

	draw({customers}, {query}) {
		const {data} = customers.data;
		return [
			heading(t('customers'), may('customers.create') && button(
				t('new_customer'), 'plus', create,
				{class: 'main'})),
			h('form', {class: 'filters', role: 'search',
				onsubmit: event => event.preventDefault()},
			h('div', {class: 'field grow'},
				h('label', {for: 'search'}, t('search')),
				h('input', {id: 'search', type: 'search',
					autocomplete: 'off', maxlength: 200,
					placeholder: t('search_customers'),
					value: query.search ?? '',
					oninput: typed}))),
			data.length ? table(t('customers'), COLUMNS(), data,
				{flows: true})
				: empty(t('nothing_found')),
			pager({first: first(query), size: SIZE,
				total: customers.total ?? data.length},
			from => address({...query, page: from / SIZE + 1})),
		];
	},
};

const COLUMNS = () => [
	[t('name'), c => h('a', {href: `#/customers/${c.id}`}, c.name)],
	[t('code'), c => c.code ?? '–', 'wide'],
	[t('contact'), c => c.contact_person ?? '–', 'wide'],
	[t('phone'), c => c.phone ?? c.gsm ?? '–'],
	[t('city'), c => c.city ?? '–', 'wide'],
];

const first = query => (Math.max(1, Number(query.page) || 1) - 1) * SIZE;

function address(query) {
	return at('#/customers', {...query,
		page: query.page > 1 ? query.page : ''});
}

let typing;

function typed({target}) {
	clearTimeout(typing);
	typing = setTimeout(() => {
		if (location.hash.split('?')[0] === '#/customers')
			location.replace(address({
				search: target.value.trim()}));
	}, TYPING);
}

export const FIELDS = [
	['name', 255], ['code', 50], ['contact_person', 255], ['phone', 50],
	['gsm', 50], ['email', 255], ['city', 100], ['address'],
	['tax_office', 255], ['tax_number', 50], ['notes'],
];

const LONG = ['address', 'notes'];

export function customerFields(customer = {}) {
	return FIELDS.map(([name, maxlength]) => ({
		name, maxlength, label: t(name === 'contact_person'
			? 'contact' : name), required: name === 'name',
		type: LONG.includes(name) ? 'textarea'
			: name === 'email' ? 'email' : 'text',
		value: customer[name]}));
}

async function create() {
	const made = await ask({
		title: t('new_customer'), fields: customerFields(),
		act: values => post('/api/customers', values),
	});
	if (made)
		location.hash = `#/customers/${made.data.id}`;
}
